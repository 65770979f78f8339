import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { epoch, shardId } from '../kernel/ids.ts'
import { testJournal } from '../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { OperationName } from '../testing/device-operation.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { Journal } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'
import { RenewedSharedJournal } from './renewed-shared-journal.ts'
import { SeededRandom } from '../testing/seeded-random.ts'

const hash = await loadHash()

/** A shared log on a disk of which one operation may fail, until it works again. */
async function openPlace(): Promise<{
  readonly system: RenewedSharedJournal
  readonly fail: (operation: OperationName | undefined) => void
  readonly openings: () => number
}> {
  let failing: OperationName | undefined
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation === failing && path.endsWith('.log')) throw failure('IO_FAILED', operation, path)
    },
  })
  const settings = { segmentBytes: 8192, preallocateBytes: 0 }
  const local = new LocalJournalSystem({ device, directory: 'journal', hash, random: new SeededRandom(1), settings })
  const keeper = new MemoryStateKeeper()
  let openings = 0
  const system = await RenewedSharedJournal.open(() => local.open(shardId('shared'), epoch(++openings), keeper))
  return { system, fail: (operation) => void (failing = operation), openings: () => openings }
}

testJournal({
  test,
  name: 'a shared journal that is renewed',
  open: async () => {
    const { system } = await openPlace()
    return { system: () => system, dispose: () => system.close() }
  },
})

async function valuesOf(journal: Journal): Promise<number[]> {
  const found: number[] = []
  await journal.replay(journal.start, (payload) => void found.push(payload[0] as number))
  return found
}

for (const operation of ['write', 'sync'] as const) {
  test(`after a failed ${operation} every shard is opened again without a restart, and finds what it was told`, async () => {
    const { system, fail, openings } = await openPlace()
    const open = (name: string, at: number): Promise<Journal> =>
      system.open(shardId(name), epoch(at), new MemoryStateKeeper())
    const [one, idle] = [await open('one', 1), await open('idle', 1)]
    for (const journal of [one, idle]) await journal.append(Uint8Array.of(1), 'synced').synced
    fail(operation)
    await assert.rejects(Promise.resolve(one.append(Uint8Array.of(2), 'synced').synced), { code: 'OUTCOME_UNKNOWN' })
    // The disk has not recovered, and neither has the log.
    await assert.rejects(open('one', 2))
    fail(undefined)
    const again = await open('one', 3)
    assert.deepEqual((await valuesOf(again)).slice(0, 1), [1])
    await again.append(Uint8Array.of(3), 'synced').synced
    assert.equal((await valuesOf(again)).at(-1), 3)
    // Nobody in the old log is acknowledged, however idle it was.
    for (const old of [one, idle]) {
      await assert.rejects(old.append(Uint8Array.of(4), 'written').written, { code: 'OUTCOME_UNKNOWN' })
      await assert.rejects(old.barrier(), { code: 'OUTCOME_UNKNOWN' })
      await assert.rejects(old.sync(), { code: 'OUTCOME_UNKNOWN' })
    }
    const opened = openings()
    const [first, second] = await Promise.all([open('idle', 2), open('another', 1)])
    assert.deepEqual([await valuesOf(first), await valuesOf(second)], [[1], []])
    assert.equal(openings(), opened, 'a sound log is left as it is')
    await system.close()
  })
}
