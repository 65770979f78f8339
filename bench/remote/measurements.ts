/** What is measured of a shard whose parts are here and there. */

import { cpuUsage } from 'node:process'
import type { KvShard } from 'varve'
import { SeededNumbers } from '../data/random.ts'
import { Histogram } from '../measure/histogram.ts'

const MIB = 1024 * 1024
const KEY_BYTES = 16

export interface Appends {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Puts of 100 bytes for `seconds`, so many at a time; each is timed from its call to its acknowledgement. */
export async function measureAppends(
  db: KvShard,
  seconds: number,
  atATime: number,
  durability: 'written' | 'synced',
): Promise<Appends> {
  const numbers = new SeededNumbers(1)
  const times = new Histogram()
  const value = bytesOf(numbers, 100)
  const start = performance.now()
  const writer = async (): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      const began = performance.now()
      await db.put(bytesOf(numbers, KEY_BYTES), value, { durability })
      times.add(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: atATime }, writer))
  const elapsed = (performance.now() - start) / 1000
  return { perSecond: times.count / elapsed, p50Ms: times.quantileMs(0.5), p99Ms: times.quantileMs(0.99) }
}

export interface Foreground {
  readonly perSecond: number
  readonly level0: number
  readonly compactions: number
  readonly heldMs: number
  /** Processor time of this process, all threads, in microseconds for each put. */
  readonly cpuMicros: number
}

/** Batches of 100 puts in random order for `seconds`, while flushes and compactions go on. */
export async function measureForeground(db: KvShard, seconds: number): Promise<Foreground> {
  const numbers = new SeededNumbers(2)
  const start = performance.now()
  const cpuBefore = cpuUsage()
  let count = 0
  while (performance.now() - start < seconds * 1000) {
    const operations = Array.from({ length: 100 }, () => ({
      type: 'put' as const,
      key: bytesOf(numbers, KEY_BYTES),
      value: bytesOf(numbers, 100),
    }))
    await db.batch(operations)
    count += operations.length
  }
  const { levels, compactions, heldMs } = db.statistics()
  const perSecond = count / ((performance.now() - start) / 1000)
  const { user, system } = cpuUsage(cpuBefore)
  return { perSecond, level0: levels[0]?.files ?? 0, compactions, heldMs, cpuMicros: (user + system) / count }
}

/** Fills `db` with `mib` MiB that do not compress, all of it in tables. */
export async function fill(db: KvShard, mib: number): Promise<void> {
  await writeMib(db, new SeededNumbers(3), mib)
  await db.flush()
  await db.settle()
}

/** Writes `mib` MiB that stay in the journal: less than a memtable. */
export async function leaveInJournal(db: KvShard, mib: number): Promise<void> {
  await writeMib(db, new SeededNumbers(4), mib)
}

async function writeMib(db: KvShard, numbers: SeededNumbers, mib: number): Promise<void> {
  for (let bytes = 0; bytes < mib * MIB;) {
    const operations = Array.from({ length: 64 }, () => ({
      type: 'put' as const,
      key: bytesOf(numbers, KEY_BYTES),
      value: bytesOf(numbers, 1024),
    }))
    await db.batch(operations)
    bytes += operations.length * (1024 + KEY_BYTES)
  }
}

function bytesOf(numbers: SeededNumbers, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(numbers.word(), Math.min(at, length - 4))
  return bytes
}
