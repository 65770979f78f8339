import assert from 'node:assert/strict'
import { test } from 'node:test'
import { POSITION_ZERO, epoch, shardId } from '../kernel/ids.ts'
import { testJournal } from '../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from './memory-journal.ts'
import { resolveLocalJournalSettings } from './settings.ts'

testJournal({
  test,
  name: 'memory journal',
  open: async () => {
    const storage = new MemoryJournalStorage()
    return { system: () => new MemoryJournalSystem({ storage }) }
  },
})

testJournal({
  test,
  name: 'poor memory journal',
  open: async () => {
    const storage = new MemoryJournalStorage()
    return {
      system: () => new MemoryJournalSystem({ storage, durability: ['written'], read: false, pendingBytesMax: 20 }),
    }
  },
})

test('a power cut keeps exactly what was synced', async () => {
  const system = new MemoryJournalSystem()
  const keeper = new MemoryStateKeeper()
  const journal = await system.open(shardId('a'), epoch(1), keeper)
  await journal.append(new Uint8Array([1]), 'synced').synced
  await journal.append(new Uint8Array([2]), 'written').written
  system.storage.cutPower()
  await assert.rejects(journal.append(new Uint8Array([3]), 'written').written, { code: 'FENCED' })
  const again = await system.open(shardId('a'), epoch(2), keeper)
  const found: number[] = []
  assert.equal(await again.replay(POSITION_ZERO, (payload) => void found.push(...payload)), 1)
  assert.deepEqual(found, [1])
})

test('what was truncated cannot be read at its position', async () => {
  const journal = await new MemoryJournalSystem().open(shardId('a'), epoch(1), new MemoryStateKeeper())
  const first = journal.append(new Uint8Array([1, 2]), 'written')
  await first.written
  await journal.append(new Uint8Array([3, 4]), 'written').written
  assert.deepEqual([...(await journal.read(POSITION_ZERO, 2))], [1, 2])
  await journal.truncate(first.end)
  await assert.rejects(journal.read(POSITION_ZERO, 2), { code: 'NOT_FOUND' })
  assert.deepEqual([...(await journal.read(first.end, 2))], [3, 4])
})

test('settings of journals are refused by name', () => {
  const storage = new MemoryJournalStorage()
  assert.throws(() => new MemoryJournalSystem({ storage, pendingBytesMax: 0 }), /pendingBytesMax must be at least 1/)
  assert.throws(() => resolveLocalJournalSettings({ segmentBytes: '4096' as never }), /segmentBytes must be a number/)
  assert.throws(() => resolveLocalJournalSettings({ segmentBytes: 4096.5 }), /segmentBytes must be an integer/)
})
