/** Who owns a shard's part of a shared log, and what of it may be asked for. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../kernel/ids.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { Journal } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'
import { SharedJournalSystem } from './shared-journal-system.ts'

const hash = await loadHash()

/** @param life how often the log has been opened, and this once */
async function systemOn(
  device: SimulatedDevice,
  keeper = new MemoryStateKeeper(),
  life = 1,
): Promise<SharedJournalSystem> {
  const settings = { segmentBytes: 8192, preallocateBytes: 0 }
  const local = new LocalJournalSystem({ device, directory: 'journal', hash, random: new SeededRandom(life), settings })
  const physical = await local.open(shardId('shared'), epoch(life), keeper)
  return SharedJournalSystem.open(physical, { reclaimBytes: 16_384 })
}

/** @returns opens a shard of a log of its own */
async function sharedLog(): Promise<(at: number, needed?: number) => Promise<Journal>> {
  const system = await systemOn(new SimulatedDevice())
  return (at, needed = POSITION_ZERO) =>
    system.open(shardId('main'), epoch(at), new MemoryStateKeeper(), journalPosition(needed))
}

async function valuesOf(journal: Journal): Promise<number[]> {
  const found: number[] = []
  await journal.replay(journal.start, (payload) => void found.push(payload[0] as number))
  return found
}

test('of two who open a shard at once the later owner has it, and the other hears so before it owns anything', async () => {
  const open = await sharedLog()
  const [former, next] = await Promise.allSettled([open(1), open(2)])
  assert.equal(next.status, 'fulfilled')
  assert.ok(former.status === 'rejected')
  assert.equal((former.reason as { code?: unknown }).code, 'FENCED')
})

test('a former owner gives nothing back that the next one may need', async () => {
  const open = await sharedLog()
  const former = await open(1)
  for (const value of [1, 2]) await former.append(Uint8Array.of(value), 'synced').synced
  const next = await open(2)
  for (const work of [() => former.truncate(former.end), () => former.sync(), () => former.barrier()])
    await assert.rejects(work, { code: 'FENCED' })
  assert.deepEqual(await valuesOf(next), [1, 2])
})

test('a shard that needs what the log does not have is not opened, from the first byte beyond either end', async () => {
  const open = await sharedLog()
  const first = await open(1)
  for (const value of [1, 2, 3]) await first.append(Uint8Array.of(value), 'synced').synced
  await first.truncate(journalPosition(2))
  for (const [needed, isThere] of [
    [1, false],
    [2, true],
    [3, true],
    [4, false],
  ] as const) {
    const opened = open(2, needed)
    if (isThere) assert.equal((await opened).end, 3)
    else await assert.rejects(opened, { code: 'JOURNAL_CORRUPT' })
  }
})

test('what says where a quiet shard stands survives a power cut, once what said so before has gone', async () => {
  const [device, keeper] = [new SimulatedDevice(), new MemoryStateKeeper()]
  const system = await systemOn(device, keeper)
  const open = async (name: string): Promise<Journal> => system.open(shardId(name), epoch(3), new MemoryStateKeeper())
  const [quiet, loud] = [await open('quiet'), await open('loud')]
  await quiet.append(Uint8Array.of(1, 2), 'synced').synced
  await quiet.truncate(quiet.end)
  for (let segment = 0; segment < 4; segment++) await loud.append(new Uint8Array(9000), 'synced').synced
  await loud.truncate(loud.end)
  const after = await systemOn(device.crash({ data: 'none', names: 'all' }, 1), keeper, 2)
  const again = (at: number): Promise<Journal> =>
    after.open(shardId('quiet'), epoch(at), new MemoryStateKeeper(), journalPosition(2))
  await assert.rejects(again(2), { code: 'FENCED' })
  assert.equal((await again(4)).end, 2)
})

test('who reads a shard without owning it reads what was there when it began, and hears where that ends', async () => {
  const system = await systemOn(new SimulatedDevice())
  const journal = await system.open(shardId('main'), epoch(1), new MemoryStateKeeper())
  await journal.append(Uint8Array.of(1), 'synced').synced
  const reader = await system.openReadOnly(shardId('main'), undefined)
  await journal.append(Uint8Array.of(2), 'synced').synced
  const found: number[] = []
  const end = await reader.replay(POSITION_ZERO, (payload) => void found.push(payload[0] as number))
  assert.deepEqual([found, end], [[1], 1])
})
