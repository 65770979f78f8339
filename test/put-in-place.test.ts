/** What is stored, and removed, on this machine before a database is there, or open. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import { Opened, ServedDirectories } from '../src/cli/serve/served-directory.ts'
import { NodeDevice } from '../src/fs/node-device.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { repair } from '../src/local-repair.ts'
import { makeWhole } from '../src/local-unfinished.ts'
import { open } from '../src/local.ts'
import { Deferred } from '../src/shard/deferred.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'

function temporary(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-in-place-'))
  context.after(() => {
    mock.restoreAll()
    fs.rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

test('what is put in place of a new database is stored before its heads are, and these before it is said to be there', async (context) => {
  const target = path.join(temporary(context), 'target')
  const calls: string[] = []
  await makeWhole(target, async (unfinished) => {
    await (await open(unfinished, { jobs: 'inline' })).close()
    const rename = Reflect.get(NodeDevice.prototype, 'rename')
    const syncDirectory = Reflect.get(NodeDevice.prototype, 'syncDirectory')
    mock.method(NodeDevice.prototype, 'rename', function (this: NodeDevice, from: string, to: string) {
      calls.push(to)
      return rename.call(this, from, to)
    })
    mock.method(NodeDevice.prototype, 'syncDirectory', function (this: NodeDevice, directory: string) {
      calls.push(`sync ${directory}`)
      return syncDirectory.call(this, directory)
    })
  })
  const heads = calls.indexOf('heads')
  assert.deepEqual(calls.slice(heads - 1), ['sync .', 'heads', 'sync .'])
  assert.ok(calls.indexOf('files') < heads && calls.indexOf('journal') < heads, calls.join())
})

// It opened, and was empty, beside all that had been saved.
test('the directory of a repair that was killed does not open, and says what to do', async (context) => {
  const target = path.join(temporary(context), 'target')
  await (await open(path.join(target, 'unfinished'), { jobs: 'inline' })).close()
  const told = {
    code: 'HEAD_CORRUPT',
    message: /a checkpoint or repair that did not end: remove .*target, and make it again/,
  }
  const basis = { hash: await loadHash(), random: new SystemRandom(), clock: new SystemClock(), opened: new Opened() }
  const served = new ServedDirectories(basis)
  // Nothing is in its place yet, then all but the heads.
  for (const moved of [[], ['files', 'journal']]) {
    for (const name of moved) fs.renameSync(path.join(target, 'unfinished', name), path.join(target, name))
    for (const options of [{}, { createIfMissing: false }, { readOnly: true }])
      await assert.rejects(open(target, { jobs: 'inline', ...options }), told)
    await assert.rejects(served.files(target), told)
    assert.deepEqual(fs.readdirSync(target).sort(), [...moved, 'unfinished'])
  }
  fs.renameSync(path.join(target, 'unfinished', 'heads'), path.join(target, 'heads'))
  await (await open(target, { jobs: 'inline' })).close()
})

// It was left where there was no room for a lock, and kept the disk full; the next try was EXISTS.
test('what could not be made on a full disk is removed', async (context) => {
  const target = path.join(temporary(context), 'target')
  const failure = new VarveError('NO_SPACE', 'full')
  for (const isBegun of [true, false]) {
    const made = makeWhole(target, async (unfinished) => {
      if (isBegun) await (await open(unfinished, { jobs: 'inline' })).close()
      mock.method(NodeDevice.prototype, 'open', () => Promise.reject(failure))
      throw failure
    })
    await assert.rejects(made, failure)
    mock.restoreAll()
    assert.ok(!fs.existsSync(target), 'what had been made for it, too')
  }
})

// The second, refused, removed what the first had made so far, which was then in its place without it.
test('of two that make a database in one place, the second leaves alone what the first has made', async (context) => {
  const target = path.join(temporary(context), 'target')
  const [begun, goOn] = [new Deferred<void>(), new Deferred<void>()]
  const first = async (): Promise<void> => {
    await makeWhole(target, async (unfinished) => {
      const db = await open(unfinished, { jobs: 'inline' })
      await db.put(Buffer.from('key'), Buffer.from('value'))
      await db.flush()
      begun.resolve()
      await goOn.promise
      await db.close()
    })
  }
  let making: Promise<void> | undefined
  const makeDirectory = Reflect.get(NodeDevice.prototype, 'makeDirectory')
  mock.method(NodeDevice.prototype, 'makeDirectory', async function (this: NodeDevice, directory: string) {
    // Both have found nothing there.
    if (making === undefined) {
      making = first()
      await begun.promise
    }
    return makeDirectory.call(this, directory)
  })
  const second = makeWhole(target, async (unfinished) => (await open(unfinished, { jobs: 'inline' })).close())
  await assert.rejects(second, { code: 'LOCKED' })
  goOn.resolve()
  await making
  const db = await open(target, { jobs: 'inline' })
  assert.equal(String(await db.get(Buffer.from('key'))), 'value')
  await db.close()
})

test('whoever opens to write removes what a crash left unfinished, and whoever only reads leaves it', async (context) => {
  const directory = path.join(temporary(context), 'db')
  await (await open(directory, { jobs: 'inline' })).close()
  const leftovers = ['files/main.e1-j1-a1-0.table.UNFINISHED', 'heads/unfinished-00ff'].map((name) =>
    path.join(directory, name),
  )
  for (const leftover of leftovers) fs.writeFileSync(leftover, 'half of it')
  await (await open(directory, { jobs: 'inline', readOnly: true })).close()
  for (const leftover of leftovers) assert.ok(fs.existsSync(leftover), leftover)
  await (await open(directory, { jobs: 'inline' })).close()
  for (const leftover of leftovers) assert.ok(!fs.existsSync(leftover), leftover)
})

test('wherever a table is damaged behind its blocks, repair saves its entries or names it', async (context) => {
  const place = temporary(context)
  const directory = path.join(place, 'db')
  const db = await open(directory, { jobs: 'inline' })
  for (let index = 0; index < 500; index++) await db.put(Buffer.from(`key ${index}`), Buffer.alloc(100, index))
  await db.flush()
  await db.close()
  const table = fs.readdirSync(path.join(directory, 'files')).find((name) => name.endsWith('.table')) as string
  const file = path.join(directory, 'files', table)
  const whole = fs.readFileSync(file)
  let lost = 0
  for (let back = 8; back < 1600; back += 100) {
    const damaged = Buffer.from(whole)
    damaged[whole.length - back] = (damaged[whole.length - back] as number) ^ 1
    fs.writeFileSync(file, damaged)
    const { entries, losses } = await repair(directory, path.join(place, `saved-${back}`))
    if (entries < 500) {
      lost++
      assert.ok(
        losses.some((loss) => loss.file === `files/${table}` && loss.keyFirst !== undefined),
        `at ${back} from the end: ${JSON.stringify(losses)}`,
      )
    }
  }
  assert.ok(lost > 0, 'none of it was of the index')
})
