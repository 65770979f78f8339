import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../kernel/ids.ts'
import { LocalJournalSystem } from '../journal/local-journal-system.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../journal/memory-journal.ts'
import { testJournal } from './journal-conformance.ts'
import { MemoryStateKeeper } from './memory-state-keeper.ts'
import { PoorJournalSystem } from './poor-journal-system.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDevice } from './simulated-device.ts'

const clock = new SimulatedClock()
const random = new SeededRandom(1)
const hash = await loadHash()

testJournal({
  test,
  name: 'poor journal over memory',
  open: async () => {
    const storage = new MemoryJournalStorage()
    return { system: () => new PoorJournalSystem(new MemoryJournalSystem({ storage }), { random, clock }) }
  },
})

testJournal({
  test,
  name: 'poor journal over memory, of one rung and not to be read',
  open: async () => {
    const storage = new MemoryJournalStorage()
    const options = { random, clock, durability: ['written'], read: false } as const
    return { system: () => new PoorJournalSystem(new MemoryJournalSystem({ storage }), options) }
  },
})

testJournal({
  test,
  name: 'poor journal over a local one',
  open: async () => {
    const device = new SimulatedDevice({ syncRead: false, syncWrite: false })
    const settings = { segmentBytes: 8192, preallocateBytes: 1024 }
    return {
      system: () =>
        new PoorJournalSystem(new LocalJournalSystem({ device, directory: 'journal', hash, random, settings }), {
          random,
          clock,
        }),
    }
  },
})

test('an append of unknown outcome is there or is not, and nothing is taken after it', async () => {
  const outcomes = new Set<number>()
  for (let seed = 0; seed < 20; seed++) {
    const inner = new MemoryJournalSystem()
    const system = new PoorJournalSystem(inner, { random: new SeededRandom(seed), clock, failsOnceIn: 3 })
    const keeper = new MemoryStateKeeper()
    const journal = await system.open(shardId('a'), epoch(1), keeper)
    let acknowledged = 0
    for (;;) {
      const { written } = journal.append(Uint8Array.of(acknowledged), 'written')
      const error = await written.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error !== undefined) {
        assert.equal((error as { code: string }).code, 'OUTCOME_UNKNOWN')
        break
      }
      acknowledged++
    }
    await assert.rejects(journal.append(Uint8Array.of(99), 'synced').written, { code: 'OUTCOME_UNKNOWN' })
    await assert.rejects(journal.sync(), { code: 'OUTCOME_UNKNOWN' })
    await journal.close()
    const found: number[] = []
    await (
      await inner.open(shardId('a'), epoch(2), keeper)
    ).replay(POSITION_ZERO, (payload) => void found.push(...payload))
    assert.deepEqual(
      found,
      Array.from({ length: found.length }, (_, index) => index),
    )
    outcomes.add(found.length - acknowledged)
  }
  assert.deepEqual(
    [...outcomes].sort((a, b) => a - b),
    [0, 1],
    'both outcomes occur',
  )
})
