import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epoch, shardId } from '../../kernel/ids.ts'
import { MemoryStateKeeper } from '../../testing/journal-conformance.ts'
import { MemoryJournalSystem } from '../memory-journal.ts'
import { HostedJournal } from './hosted-journal.ts'

test('what comes late over a connection that its client has given up takes nobody’s place', async () => {
  const journal = await new MemoryJournalSystem().open(shardId('main'), epoch(1), new MemoryStateKeeper())
  const [former, present] = [{}, {}]
  const hosted = new HostedJournal(journal, former)
  await hosted.append(former, 0, Uint8Array.of(1), 'written', 0).written
  hosted.resume(present)
  // It was taken back because it did not fit; its place is free for another of the same length.
  assert.throws(() => hosted.append(former, 1, Uint8Array.of(2), 'written', 1), { code: 'POISONED' })
  await hosted.append(present, 1, Uint8Array.of(3), 'written', 1).written
  const found: number[] = []
  await journal.replay(journal.start, (payload) => void found.push(...payload))
  assert.deepEqual(found, [1, 3])
  await journal.close()
})
