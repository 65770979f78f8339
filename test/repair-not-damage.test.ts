/** What keeps a repair from reading or writing is told as what it is: what is no damage ends it, and what is lost is named. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import { KvShard } from '../src/engines/kv/kv-shard.ts'
import { NodeDevice } from '../src/fs/node-device.ts'
import { VarveError, isCode } from '../src/kernel/errors.ts'
import type { ErrorCode } from '../src/kernel/errors.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

const ENTRIES = 2000

/** A database with something in a table, and as much in the journal. */
async function makeDatabase(context: TestContext): Promise<{ readonly source: string; readonly target: string }> {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-not-damage-'))
  context.after(() => {
    mock.restoreAll()
    fs.rmSync(place, { recursive: true, force: true })
  })
  const source = path.join(place, 'source')
  const db = await open(source, { jobs: 'inline', settings: { blockBytes: 1024 } })
  for (let index = 0; index < ENTRIES; index++) {
    if (index === ENTRIES / 2) await db.flush()
    await db.put(Buffer.from(`key ${index}`), Buffer.alloc(1500, index))
  }
  await db.close()
  return { source, target: path.join(place, 'target') }
}

// It went on to the end, and called lost what it had not read.
test('a repair that is aborted at any moment ends with that, and has written nothing', async (context) => {
  const { source, target } = await makeDatabase(context)
  for (const moments of [3, 20, 200, 1500]) {
    let left = moments
    const signal = Object.create(AbortSignal.abort('enough'), { aborted: { get: () => --left < 0 } }) as AbortSignal
    await assert.rejects(repair(source, target, { signal }), { code: 'ABORTED' }, `after ${moments} looks`)
    assert.deepEqual(fs.existsSync(target) ? fs.readdirSync(target) : [], [])
  }
  assert.deepEqual((await repair(source, target)).losses, [])
})

// The entries were missing in the new database, and the report said that nothing was lost.
test('a write to the new database that is refused once ends the repair', async (context) => {
  const { source, target } = await makeDatabase(context)
  for (const refused of [1, 2]) {
    let calls = 0
    const batch = Reflect.get(KvShard.prototype, 'batch')
    mock.method(KvShard.prototype, 'batch', function (this: KvShard, ...given: Parameters<KvShard['batch']>) {
      return ++calls === refused ? Promise.reject(new VarveError('NO_SPACE', 'full')) : batch.apply(this, given)
    })
    const close = Reflect.get(KvShard.prototype, 'close')
    mock.method(KvShard.prototype, 'close', async function (this: KvShard) {
      await close.call(this)
      if (calls === refused) throw new Error('nobody wants to hear of it')
    })
    await assert.rejects(repair(source, target), { code: 'NO_SPACE' })
    mock.restoreAll()
  }
  const { entries, losses } = await repair(source, target)
  assert.deepEqual({ entries, losses }, { entries: ENTRIES, losses: [] })
})

// What the system did not let it read was lost, with fewer descriptors more of it.
test('a file that may not be read, or for which no descriptor is left, ends the repair', async (context) => {
  const { source, target } = await makeDatabase(context)
  const names = fs
    .readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(source, name)).isFile())
  const opens = Reflect.get(NodeDevice.prototype, 'open')
  let denied = 0
  for (const name of names) {
    for (const code of ['PERMISSION_DENIED', 'OUT_OF_FILES'] satisfies readonly ErrorCode[]) {
      let asked = 0
      mock.method(NodeDevice.prototype, 'open', function (this: NodeDevice, ...given: Parameters<NodeDevice['open']>) {
        if (this.root !== source || given[0] !== name) return opens.apply(this, given)
        asked++
        return Promise.reject(new VarveError(code, `open of ${name} failed`, { details: { path: name } }))
      })
      const error: unknown = await repair(source, target).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      // The head before the newest is not asked for.
      if (asked === 0) assert.equal(error, undefined, name)
      else assert.ok(isCode(error, code), `${name}: ${String(error)}`)
      mock.restoreAll()
      denied += Math.min(asked, 1)
      fs.rmSync(target, { recursive: true, force: true })
    }
  }
  // A head, a table, a segment, the fence and the witness, each twice.
  assert.ok(denied >= 10, `${denied}`)
})

// Nobody had looked what the second reading, from which the new database is written, could not read.
test('what can be read at first, and then no more, is named as lost', async (context) => {
  const { source, target } = await makeDatabase(context)
  const opens = Reflect.get(NodeDevice.prototype, 'open')
  const [table = ''] = fs.readdirSync(path.join(source, 'files'))
  let asked = 0
  mock.method(NodeDevice.prototype, 'open', function (this: NodeDevice, ...given: Parameters<NodeDevice['open']>) {
    if (this.root !== source || given[0] !== `files/${table}` || ++asked < 2) return opens.apply(this, given)
    return Promise.reject(new VarveError('IO_FAILED', 'the disk fails'))
  })
  const { entries, losses } = await repair(source, target)
  assert.equal(entries, ENTRIES / 2)
  assert.deepEqual(
    losses.map(({ file, reason }) => ({ file, reason })),
    [{ file: `files/${table}`, reason: 'the disk fails' }],
  )
})
