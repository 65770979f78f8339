/** Which data a table is about, and which workloads are worth measuring over them. */

import { short } from './report/quantities.ts'

const KIB = 1024
const MIB = 1024 * 1024
/** Less than this and Node itself does not run. */
const MEMORY_BYTES_MIN = 160 * MIB

/** Of memory that is scarce, what a block cache gets: a process needs most of it for itself, and the system keeps files. */
const CACHE_SHARE = 1 / 8

export interface Scene {
  /** As rows name it. */
  readonly shape: string
  readonly keys: number
  readonly valueBytes: number
  /** Memory of the process, its share of the page cache included; undefined: all there is. */
  readonly memoryBytes?: number
  readonly workloads: readonly string[]
  /** Whether the machine's limits are measured first. */
  readonly limits?: boolean
}

export function scene(keys: number, valueBytes: number, workloads: readonly string[], memoryBytes?: number): Scene {
  const size = valueBytes % KIB === 0 ? `${valueBytes / KIB} KiB` : `${valueBytes} B`
  const data = `${short(keys).replace('.00', '')} × ${size}`
  return memoryBytes === undefined
    ? { shape: data, keys, valueBytes, workloads }
    : { shape: `${data} in ${Math.round(memoryBytes / MIB)} MiB`, keys, valueBytes, memoryBytes, workloads }
}

/** Larger values: as many bytes twice over, in fewer keys. */
const LARGE = ['fillrandom/100', 'overwrite', 'put/1', 'readrandom/awaited', 'readrandom/inflight', 'readseq']
/** Data four times as large as memory. */
const TIGHT = ['overwrite', 'readrandom/awaited', 'readrandom/inflight', 'readseq', 'seekrandom', 'ycsb/b']
const GROWTH = ['open', 'recover', 'readrandom/awaited', 'readrandom/inflight', 'readrandom/sync', 'readseq']

export function largeValues(keys: number): readonly Scene[] {
  return [scene(atLeast(keys / 5), KIB, LARGE), scene(atLeast(keys / 50), 16 * KIB, LARGE)]
}

export function largerThanMemory(keys: number): Scene {
  return scene(keys, KIB, TIGHT, Math.max(MEMORY_BYTES_MIN, Math.round((keys * KIB) / 4 / MIB) * MIB))
}

/** The block cache of a peer: what was asked for, or as much as there is memory for. */
export function cacheOf({ memoryBytes = Infinity }: Scene, wantedBytes: number): number {
  return Math.min(wantedBytes, memoryBytes * CACHE_SHARE)
}

/** The same with ever more keys. */
export function growing(sizes: readonly number[], valueBytes: number): readonly Scene[] {
  return sizes.map((keys) => scene(keys, valueBytes, GROWTH))
}

function atLeast(keys: number): number {
  return Math.max(100, Math.floor(keys))
}
