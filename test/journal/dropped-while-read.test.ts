/** Segments that their owner drops, and writes others to, while somebody reads them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const hash = await loadHash()
const SHARD = shardId('s')
const FIRST = /-00000001\.log$/

for (const when of ['open', 'read'] as const) {
  test(`who only reads is told when a segment goes before its ${when}, and never that the log ends there`, async () => {
    let meanwhile: (() => Promise<unknown>) | undefined
    const device = new SimulatedDevice({
      before: ({ operation, path }) => {
        if (operation !== when || !FIRST.test(path)) return
        const drop = meanwhile
        meanwhile = undefined
        dropping ??= drop?.()
      },
    })
    let dropping: Promise<unknown> | undefined
    const [keeper, random, clock] = [new MemoryStateKeeper(), new SeededRandom(1), new SimulatedClock()]
    const settings = { segmentBytes: 4096, preallocateBytes: 0, readBytes: 256 }
    const system = new LocalJournalSystem({ device, directory: 'j', hash, random, clock, settings })
    const journal = await system.open(SHARD, epoch(1), keeper)
    const write = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await journal.append(Buffer.alloc(500, index), 'written').written
    }
    await write(20)
    const needed = journalPosition(0)
    meanwhile = async () => {
      await journal.truncate(journalPosition(5_000))
      await write(20)
    }
    // Nothing is synced: what is missing might be what a power cut took, and the log end before it.
    await assert.rejects(system.openReadOnly(SHARD, keeper.state, needed), {
      code: 'JOURNAL_CORRUPT',
      message: /dropped while it was read/,
    })
    await dropping
    assert.ok(device.operations.some(({ operation }) => operation === 'rename'))
    const reader = await system.openReadOnly(SHARD, keeper.state, journalPosition(5_000))
    const found: number[] = []
    assert.equal(await reader.replay(journalPosition(5_000), ([first = -1]) => void found.push(first)), journal.end)
    assert.deepEqual(found, [...range(10, 20), ...range(0, 20)])
    await reader.close()
    await journal.close()
  })
}

function range(first: number, limit: number): number[] {
  return Array.from({ length: limit - first }, (_, index) => first + index)
}
