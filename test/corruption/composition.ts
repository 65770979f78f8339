/** The local composition, lock included, on a disk in memory. */

import type { Hash } from '../../src/kernel/hash.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import type { Device } from '../../src/kernel/device.ts'
import { DirectoryLock } from '../../src/fs/directory-lock.ts'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import type { ProcessTable } from '../../src/fs/process-table.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

/** So small that a few writes make every kind of file, and several of most. */
export const SETTINGS = Object.freeze({
  memtableBytes: 16_384,
  blockBytes: 256,
  tableBytes: 1024,
  cacheBytes: 0,
  level0Files: 6,
  levelBytesBase: 8192,
  levelSizeRatio: 2,
  retryDelayMs: 1,
} as const)

const hash: Hash = await loadHash()
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
const clock = new SystemClock()

/** Process `pid`, alone: every other one has died. */
function processTable(pid: number): ProcessTable {
  const self = { bootId: 'boot', pid, startedAt: String(pid) }
  return { self: () => self, isAlive: (other) => other.pid === pid }
}

/** Opens the shard on `device` for process `pid`, as `src/local-components.ts` does. */
export async function openOn(device: Device, pid: number, seed = pid): Promise<KvShard> {
  const random = new SeededRandom(seed)
  const lock = await DirectoryLock.acquire({ device, directory: '.', processes: processTable(pid), random })
  try {
    const files = await LocalFileStore.open({ device, directory: 'files', hash })
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
    await files.removeLeftovers()
    await heads.removeLeftovers()
    const journal = new LocalJournalSystem({
      device,
      directory: 'journal',
      hash,
      random,
      settings: { segmentBytes: 4096, preallocateBytes: 512 },
    })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const close = async (): Promise<void> => {
      await jobs.close()
      await files.close()
      await lock.release()
    }
    const components = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
    return await openKv(components, { settings: SETTINGS })
  } catch (error) {
    await lock.release()
    throw error
  }
}
