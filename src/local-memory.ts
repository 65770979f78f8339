/**
 * Defaults of what takes memory, in a process that has little of it.
 *
 * A shard with default settings takes some 400 MiB for itself where writes come as fast as they can (three memtables, a thread
 * for flushes and two for merges) and 256 for its cache. In a container of 512 MiB it was killed by the system: see
 * docs/decisions/0026-little-memory.md.
 */

import { KV_DEFAULTS } from './engines/kv/settings.ts'
import type { KvSettings } from './engines/kv/settings.ts'
import { MIB } from './kernel/limits.ts'
import { SHARD_DEFAULTS } from './shard/settings.ts'
import type { ShardSettings } from './shard/settings.ts'

// Parts of the memory there is: an eighth for blocks, and for three memtables a bit less than that.
const CACHE_PART = 8
const MEMTABLE_PART = 32
const MEMTABLE_BYTES_MIN = 1 * MIB

/** For a process that may take `limitBytes`: from 2 GiB on what they are anyway. */
export function memorySettings(
  limitBytes: number,
): Pick<KvSettings, 'cacheBytes'> & Pick<ShardSettings, 'memtableBytes'> {
  const part = (divisor: number): number => Math.floor(limitBytes / divisor / MIB) * MIB
  return {
    cacheBytes: Math.min(KV_DEFAULTS.cacheBytes, part(CACHE_PART)),
    memtableBytes: Math.min(SHARD_DEFAULTS.memtableBytes, Math.max(MEMTABLE_BYTES_MIN, part(MEMTABLE_PART))),
  }
}
