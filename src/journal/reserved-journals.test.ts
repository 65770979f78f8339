import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { testJournal } from '../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { JournalSpace } from './journal-space.ts'
import type { Journal, JournalSystem } from './journal.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from './memory-journal.ts'
import { ReservedJournals } from './reserved-journals.ts'

const NO_SPACE = new VarveError('NO_SPACE', 'no space left on device')
const RESERVE = { released: false, hold: () => Promise.resolve(true), release: () => Promise.resolve() }

function spaceOf(clock = new SimulatedClock()): JournalSpace {
  return new JournalSpace({ reserve: RESERVE, bytes: 1 * MIB, clock })
}

testJournal({
  test,
  name: 'journals with a reserve',
  open: () => {
    const storage = new MemoryJournalStorage()
    return Promise.resolve({
      system: () => new ReservedJournals(new MemoryJournalSystem({ storage }), spaceOf()),
      dispose: () => Promise.resolve(),
    })
  },
})

/** A journal whose calls fail as long as `full` has them. */
async function onDisk(full: Set<string>): Promise<{ system: JournalSystem; journal: () => Promise<Journal> }> {
  const system = new MemoryJournalSystem({ storage: new MemoryJournalStorage() })
  const open = system.open.bind(system)
  system.open = async (...call) => {
    if (full.delete('open')) throw NO_SPACE
    const journal = await open(...call)
    const truncate = journal.truncate.bind(journal)
    journal.truncate = (before) => (full.delete('truncate') ? Promise.reject(NO_SPACE) : truncate(before))
    return journal
  }
  const clock = new SimulatedClock()
  const reserved = new ReservedJournals(system, spaceOf(clock))
  const journal = (): Promise<Journal> => reserved.open(shardId('s'), epoch(1), new MemoryStateKeeper())
  return Promise.resolve({ system: reserved, journal })
}

test('opening and truncating go on in the space of the reserve, and batches do not take it', async () => {
  const full = new Set(['open'])
  const { journal: open } = await onDisk(full)
  const journal = await open()
  const refused = journal.append(Uint8Array.of(1), 'synced')
  await assert.rejects(refused.written, { code: 'NO_SPACE', kind: 'retry' })
  await assert.rejects(refused.synced as Promise<void>, { code: 'NO_SPACE' })
  assert.deepEqual([refused.end, journal.end, journal.pendingBytes], [0, 0, 0])
  // Refusing it has made it look, and there is room again.
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  await journal.append(Uint8Array.of(2), 'synced').synced
  full.add('truncate')
  await journal.truncate(journalPosition(0))
  assert.equal(full.size, 0)
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  await journal.append(Uint8Array.of(3), 'written').written
  const found: number[] = []
  await journal.replay(POSITION_ZERO, (payload) => found.push(...payload))
  assert.deepEqual(found, [2, 3])
  await journal.close()
})
