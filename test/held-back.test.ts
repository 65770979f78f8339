/** Writes that a slow disk, or compactions that fail, hold back: they wait within a limit, then BUSY, and nothing is lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../src/kernel/errors.ts'
import { KIB } from '../src/kernel/limits.ts'
import { JobWorld } from './jobs/job-world.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const QUEUED_BYTES_MAX = 16 * KIB
const VALUE_BYTES = 1000
/** So few that all tables overlap: none can only be moved to the next level. */
const KEYS = 7
const keyOf = (index: number): Uint8Array => Buffer.from(`key ${index % KEYS}`)
const valueOf = (index: number): Uint8Array => Buffer.from(`${index} `.padEnd(VALUE_BYTES, '.'))

/** Puts without waiting for any, until one is refused. */
async function putUntilBusy(db: Simulation['db'], turn: () => Promise<void>): Promise<readonly Promise<void>[]> {
  const taken: Promise<void>[] = []
  for (let index = 0; ; index++) {
    assert.ok(index < 2000, 'what waits has no limit')
    let refused: unknown
    const put = db.put(keyOf(index), valueOf(index))
    put.catch((error: unknown) => (refused = error))
    await turn()
    if (refused === undefined) taken.push(put)
    else {
      assert.ok(refused instanceof VarveError, `write ${index}`)
      assert.deepEqual([refused.code, refused.kind], ['BUSY', 'retry'])
      return taken
    }
  }
}

/** The last write of each key is what is there. */
async function check(db: Simulation['db'], count: number): Promise<void> {
  for (let index = count - KEYS; index < count; index++)
    assert.deepEqual(await db.get(keyOf(index)), valueOf(index), `write ${index} of ${count}`)
}

test('on a disk that stands still writes wait up to the limit, then are BUSY, and are there when it goes on', async () => {
  let [hold, release]: [Promise<void> | undefined, () => void] = [undefined, () => undefined]
  const settings = { ...TINY_SETTINGS, memtableBytes: 4096 * KIB, queuedBytesMax: QUEUED_BYTES_MAX }
  const simulation = new Simulation(1, settings, { syncWrite: false, delay: async () => hold })
  simulation.journalSettings = { ...simulation.journalSettings, pendingBytesMax: QUEUED_BYTES_MAX }
  await simulation.open()
  hold = new Promise((resolve) => (release = resolve))
  const taken = await putUntilBusy(simulation.db, () => simulation.clock.turn())
  const { queuedBytes } = simulation.db.statistics()
  assert.ok(queuedBytes >= QUEUED_BYTES_MAX && queuedBytes < QUEUED_BYTES_MAX + 2 * VALUE_BYTES, `${queuedBytes}`)
  // As much is with the journal.
  assert.ok(taken.length <= 2 * (QUEUED_BYTES_MAX / VALUE_BYTES + 2), `${taken.length} were taken`)
  hold = undefined
  release()
  await Promise.all(taken)
  await simulation.db.put(keyOf(taken.length), valueOf(taken.length))
  await simulation.kill()
  await check(simulation.db, taken.length + 1)
  await simulation.stop()
})

test('while merges are poisoned writes go on until level 0 is full, then wait, then are BUSY, and reads go on', async () => {
  const world = new JobWorld(1)
  const { simulation } = world
  const queuedBytesMax = QUEUED_BYTES_MAX
  simulation.settings = { ...TINY_SETTINGS, queuedBytesMax }
  world.fateOf = ({ handler }) => (handler.export === 'merge' ? 'poisoned' : 'three times')
  await simulation.open()
  const turn = async (): Promise<void> => {
    simulation.clock.advance(10)
    for (let left = 0; left < 5; left++) await simulation.clock.turn()
  }
  const taken = await putUntilBusy(world.db, turn)
  const { levels, frozenTables } = world.db.statistics()
  assert.equal(levels[0]?.files, TINY_SETTINGS.level0FilesStop)
  let synced = 'waits'
  const sync = world.db.sync().then(
    () => (synced = 'synced'),
    () => (synced = 'is told why it waits'),
  )
  const outcomes = taken.map(() => 'waits')
  for (const [index, put] of taken.entries()) void put.then(() => (outcomes[index] = 'written'))
  for (let left = 0; left < 10; left++) await turn()
  const written = outcomes.lastIndexOf('written') + 1
  assert.ok(written > 6 && outcomes.indexOf('waits') === written, `${outcomes.join(' ')}, ${frozenTables} frozen`)
  await check(world.db, written)
  assert.notEqual(synced, 'synced', 'a sync is about the writes that wait, too')
  assert.ok(taken.length - written <= QUEUED_BYTES_MAX / VALUE_BYTES + 2, `${taken.length - written} wait`)

  world.fateOf = () => 'three times'
  let settled = false
  const all = Promise.all(taken).finally(() => (settled = true))
  for (let left = 0; left < 2000 && !settled; left++) {
    simulation.clock.advance(1000)
    await simulation.clock.turn()
  }
  assert.ok(settled, 'healed, they go on')
  await all
  await sync
  await check(world.db, taken.length)
  await simulation.stop()
})
