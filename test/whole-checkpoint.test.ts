/** A checkpoint is whole, or no database: whatever becomes of the process, or of the disk, while it is made. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { NodeDevice } from '../src/fs/node-device.ts'
import { VarveError, isCode } from '../src/kernel/errors.ts'
import { checkpoint } from '../src/local-checkpoint.ts'
import { destroy } from '../src/local-destroy.ts'
import { open } from '../src/local.ts'

const KEYS = 20
/** What a device does with a descriptor, then without. */
const WITH_DESCRIPTOR = ['open', 'list', 'syncDirectory', 'makeDirectory'] as const
const WITHOUT = ['link', 'linkFrom', 'rename', 'unlink', 'removeDirectory'] as const
type Method = (typeof WITH_DESCRIPTOR)[number] | (typeof WITHOUT)[number]

async function origin(context: TestContext): Promise<{ readonly place: string; readonly db: KvShard }> {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-whole-checkpoint-'))
  context.after(() => {
    mock.restoreAll()
    fs.rmSync(place, { recursive: true, force: true })
  })
  const db = await open(path.join(place, 'origin'), { jobs: 'inline' })
  for (let index = 0; index < KEYS; index++) {
    await db.put(Buffer.from(`key ${index}`), Buffer.from('value'))
    if (index % 7 === 0) await db.flush()
  }
  await db.flush()
  return { place, db }
}

/** Has `before` run before each step on a device below `place`; what it resolves to true in the place of is not done. */
function watch(place: string, methods: readonly Method[], before: (method: Method) => Promise<void>): void {
  for (const method of methods) {
    const plain = Reflect.get(NodeDevice.prototype, method) as (...words: unknown[]) => Promise<unknown>
    mock.method(NodeDevice.prototype, method, async function (this: NodeDevice, ...words: unknown[]) {
      if (this.root.startsWith(place)) await before(method)
      return plain.apply(this, words)
    })
  }
}

/** How many files this process has open; 0 where the system does not tell. */
function openFiles(): number {
  return process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0
}

async function countOf(db: KvShard): Promise<number> {
  let count = 0
  for await (const { value } of db.scan()) if (String(value) === 'value') count++
  return count
}

// Before its first table it opened, and was empty.
test('a checkpoint that is killed at any step is whole, or is nothing, or does not open and says what it is', async (context) => {
  const { place, db } = await origin(context)
  const found = { nothing: 0, part: 0, whole: 0 }
  for (let step = 1, isDone = false; !isDone; step++) {
    const target = path.join(place, `killed-${step}`)
    let steps = 0
    const killed = new Promise<boolean>((resolve) => {
      watch(target, [...WITH_DESCRIPTOR, ...WITHOUT], () => {
        if (++steps < step) return Promise.resolve()
        resolve(true)
        return new Promise(() => undefined)
      })
    })
    isDone = !(await Promise.race([killed, checkpoint(db, target).then(() => false)]))
    mock.restoreAll()
    if (!fs.existsSync(target) || fs.readdirSync(target).length === 0) {
      found.nothing++
      continue
    }
    const unfinished = path.join(target, 'unfinished')
    if (!fs.existsSync(path.join(target, 'heads'))) {
      found.part++
      // Of this process, which is alive.
      if (fs.existsSync(path.join(unfinished, 'lock')))
        await assert.rejects(open(target, { jobs: 'inline' }), { code: 'LOCKED', message: /is being made by process/ })
      for (const name of fs.readdirSync(unfinished)) if (name.startsWith('lock')) fs.rmSync(path.join(unfinished, name))
      const before = fs.readdirSync(target)
      const told = { code: 'HEAD_CORRUPT', message: /is a part of a checkpoint .* did not end: remove .*killed-/ }
      for (const options of [{}, { createIfMissing: false }, { readOnly: true }])
        await assert.rejects(open(target, { jobs: 'inline', ...options }), told, `step ${step}`)
      assert.deepEqual(fs.readdirSync(target), before)
      await assert.rejects(checkpoint(db, target), { code: 'EXISTS', message: /did not end, in unfinished: remove it/ })
      continue
    }
    found.whole++
    await assert.rejects(checkpoint(db, target), { code: 'EXISTS', message: /is not empty/ })
    const copy = await open(target, { jobs: 'inline' })
    assert.equal(await countOf(copy), KEYS, `step ${step}`)
    await copy.close()
    await destroy(target)
    assert.ok(!fs.existsSync(target), `step ${step}: something is left when it is destroyed`)
  }
  assert.ok(found.nothing > 0 && found.part > 10 && found.whole > 1, JSON.stringify(found))
})

// Its folders stayed, and the next one to that place was EXISTS.
test('a checkpoint that fails at any step leaves nothing, where no descriptor is left to look, too', async (context) => {
  const { place, db } = await origin(context)
  for (const [code, methods] of [
    ['OUT_OF_FILES', WITH_DESCRIPTOR],
    ['NO_SPACE', ['open', 'syncDirectory', 'link', 'linkFrom', 'makeDirectory']],
  ] as const) {
    for (const isOnce of [false, true]) {
      const parent = path.join(place, `${code}-${isOnce}`)
      const target = path.join(parent, 'above', 'target')
      let failed = 0
      const before = openFiles()
      for (let step = 1, isDone = false; !isDone; step++) {
        let steps = 0
        watch(parent, methods, async () => {
          steps++
          if (isOnce ? steps === step : steps >= step) throw new VarveError(code, 'refused')
        })
        try {
          await checkpoint(db, target)
          isDone = true
        } catch (error) {
          assert.ok(isCode(error, code, 'OUTCOME_UNKNOWN'), `step ${step}: ${String(error)}`)
          assert.ok(!fs.existsSync(parent), `${code} at step ${step} leaves something`)
          failed++
        } finally {
          mock.restoreAll()
        }
      }
      assert.ok(failed > 8, `${failed} failures`)
      assert.equal(openFiles(), before, 'files that stay open')
      const copy = await open(target, { jobs: 'inline' })
      assert.equal(await countOf(copy), KEYS)
      await copy.close()
    }
  }
  await db.close()
})

test('what others have in the directory of a checkpoint by then stays, whether they came before or meanwhile', async (context) => {
  const { place, db } = await origin(context)
  const target = path.join(place, 'target')
  // Both have found it empty.
  let isFirst = true
  watch(target, ['makeDirectory'], async () => {
    if (!isFirst) return
    isFirst = false
    await checkpoint(db, target)
  })
  await assert.rejects(checkpoint(db, target), { code: 'EXISTS', message: /is not empty/ })
  mock.restoreAll()
  const copy = await open(target, { jobs: 'inline' })
  assert.equal(await countOf(copy), KEYS)
  await copy.close()

  const taken = path.join(place, 'taken')
  const slow = {
    async checkpoint(to: Parameters<typeof db.checkpoint>[0]): Promise<void> {
      await assert.rejects(checkpoint(db, taken), { code: 'EXISTS', message: /is being made by process/ })
      fs.writeFileSync(path.join(taken, 'note'), 'of somebody')
      await db.checkpoint(to)
    },
  }
  await assert.rejects(checkpoint(slow, taken), { code: 'EXISTS' })
  assert.deepEqual(fs.readdirSync(taken), ['note'])
  await db.close()
})

test('a checkpoint is not made where it could not be opened: the path is too long', async (context) => {
  const { place, db } = await origin(context)
  const piece = 'd'.repeat(200)
  const target = path.join(place, ...Array.from({ length: 20 }, () => piece))
  await assert.rejects(checkpoint(db, target), { code: 'LIMIT_EXCEEDED' })
  assert.deepEqual(fs.readdirSync(place), ['origin'])
  await db.close()
})

test('a checkpoint that is aborted at any step leaves nothing, unless it is whole', async (context) => {
  const { place, db } = await origin(context)
  const keys = [{ id: 'a', secret: Buffer.alloc(32, 7) }]
  for (const [how, options] of [
    ['linked', {}],
    ['copied', { encryption: { keys } }],
  ] as const) {
    let aborted = 0
    for (let step = 0, isDone = false; !isDone; step++) {
      const target = path.join(place, `${how}-${step}`)
      const controller = new AbortController()
      if (step === 0) controller.abort()
      let steps = 0
      watch(target, [...WITH_DESCRIPTOR, ...WITHOUT], async () => {
        if (++steps === step) controller.abort()
      })
      const error = await checkpoint(db, target, { ...options, signal: controller.signal }).catch((thrown) => thrown)
      mock.restoreAll()
      if (error !== undefined) {
        assert.ok(isCode(error, 'ABORTED'), `step ${step}: ${String(error)}`)
        assert.ok(!fs.existsSync(target), `${how}: aborted at step ${step} and something is left`)
        aborted++
        continue
      }
      const copy = await open(target, { jobs: 'inline', ...options })
      assert.equal(await countOf(copy), KEYS, `${how}, step ${step}`)
      await copy.close()
      isDone = !controller.signal.aborted
    }
    assert.ok(aborted > 5, `${how}: ${aborted} aborted`)
  }
  await db.close()
})

test('a checkpoint is given up while it waits for a flush, which goes on', async (context) => {
  const { place, db } = await origin(context)
  let goOn = (): void => undefined
  const held = new Promise<void>((resolve) => (goOn = resolve))
  await db.put(Buffer.from('last'), Buffer.from('value'))
  const controller = new AbortController()
  const reached = new Promise<void>((resolve) => {
    watch(path.join(place, 'origin'), ['open'], () => {
      resolve()
      return held
    })
  })
  const target = path.join(place, 'target')
  const copying = checkpoint(db, target, { signal: controller.signal })
  await reached
  controller.abort()
  await assert.rejects(copying, { code: 'ABORTED' })
  assert.ok(!fs.existsSync(target))
  goOn()
  mock.restoreAll()
  await db.flush()
  assert.equal(await countOf(db), KEYS + 1)
  await db.close()
})
