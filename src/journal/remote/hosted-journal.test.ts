import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { epoch, shardId } from '../../kernel/ids.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import { LocalJournalSystem } from '../local-journal-system.ts'
import { MemoryJournalSystem } from '../memory-journal.ts'
import { SharedJournalSystem } from '../shared-journal-system.ts'
import { HostedJournal } from './hosted-journal.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'

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

test('an append is answered again where it is repeated, and refused where its place has another of another length', async () => {
  const journal = await new MemoryJournalSystem().open(shardId('main'), epoch(1), new MemoryStateKeeper())
  const client = {}
  const hosted = new HostedJournal(journal, client)
  const first = hosted.append(client, 0, Uint8Array.of(1, 2), 'written', 0)
  assert.equal(hosted.append(client, 0, Uint8Array.of(1, 2), 'written', 0), first)
  assert.throws(() => hosted.append(client, 0, Uint8Array.of(1, 2, 3), 'written', 0), { code: 'POISONED' })
  assert.equal(journal.end, 2)
  await journal.close()
})

test('whoever asks for an append that is not remembered any more to be synced waits for a sync', async () => {
  const device = new SimulatedDevice()
  const [hash, random] = [await loadHash(), new SeededRandom(1)]
  const system = new LocalJournalSystem({ device, directory: 'j', hash, random })
  const journal = await system.open(shardId('main'), epoch(1), new MemoryStateKeeper())
  const client = {}
  const hosted = new HostedJournal(journal, client)
  await hosted.append(client, 0, Uint8Array.of(1), 'written', 0).written
  await hosted.append(client, 1, Uint8Array.of(2), 'written', 1).written
  device.operations.length = 0
  await hosted.synced(0)
  assert.ok(device.operations.some(({ operation }) => operation === 'sync'))
  await journal.close()
})

// Those behind the first were told that the disk was full, and before it was told why.
test('appends on their way when another owner takes over are all fenced, also those behind the first', async () => {
  const [system, keeper] = [new MemoryJournalSystem(), new MemoryStateKeeper()]
  const journal = await system.open(shardId('main'), epoch(1), keeper)
  const client = {}
  const hosted = new HostedJournal(journal, client)
  await hosted.append(client, 0, Uint8Array.of(1), 'written', 0).written
  const next = await system.open(shardId('main'), epoch(2), keeper)
  await assert.rejects(hosted.append(client, 1, Uint8Array.of(2), 'written', 1).written, { code: 'FENCED' })
  const end = journal.end
  for (let position: number = end; position < end + 4; position++) {
    const { written } = hosted.append(client, position, Uint8Array.of(3), 'written', 1)
    await assert.rejects(written, { code: 'FENCED' })
  }
  await journal.close()
  await next.close()
})

// A service keeps one log for all shards, whose end had moved on: the former owner was told that nobody knows.
test('a former owner of a shared log is fenced, however much the next owner has appended before', async () => {
  const [below, keeper] = [new MemoryJournalSystem(), new MemoryStateKeeper()]
  const system = await SharedJournalSystem.open(await below.open(shardId('below'), epoch(1), keeper))
  const journal = await system.open(shardId('main'), epoch(1), keeper)
  const client = {}
  const hosted = new HostedJournal(journal, client)
  await hosted.append(client, 0, Uint8Array.of(1), 'written', 0).written
  const next = await system.open(shardId('main'), epoch(2), keeper)
  await next.append(Uint8Array.of(2, 3, 4), 'written').written
  for (let position = 1; position < 6; position++) {
    const { written } = hosted.append(client, position, Uint8Array.of(5), 'written', 1)
    await assert.rejects(written, { code: 'FENCED' })
  }
  await Promise.all([journal.close(), next.close()])
  await system.close()
})
