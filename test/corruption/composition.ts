/**
 * The local composition, lock included, on a disk in memory; and one whose journal is in the log that a journal service keeps
 * for all of its shards.
 */

import type { Hash } from '../../src/kernel/hash.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import type { Device } from '../../src/kernel/device.ts'
import { openSharedLog } from '../../src/cli/serve/shared-log.ts'
import { DirectoryLock } from '../../src/fs/directory-lock.ts'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import type { ProcessTable } from '../../src/fs/process-table.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { RenewedSharedJournal } from '../../src/journal/renewed-shared-journal.ts'
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

const SEGMENT_BYTES = 4096

const hash: Hash = await loadHash()
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
const clock = new SystemClock()

/** Process `pid`, alone: every other one has died. */
function processTable(pid: number): ProcessTable {
  const self = { bootId: 'boot', pid, startedAt: String(pid) }
  return { self: () => self, isAlive: (other) => other.pid === pid }
}

/** Opens the shard on `device` for process `pid`. */
export type OpenOn = (device: Device, pid: number, seed?: number) => Promise<KvShard>

/** As `src/local-components.ts` does. */
export const openOn: OpenOn = (device, pid, seed = pid) => openLocked(device, pid, seed, false)

/** As with `varve serve`, and the shard in the same process. */
export const openOnSharedLog: OpenOn = (device, pid, seed = pid) => openLocked(device, pid, seed, true)

async function openLocked(device: Device, pid: number, seed: number, shared: boolean): Promise<KvShard> {
  const random = new SeededRandom(seed)
  const lock = await DirectoryLock.acquire({ device, directory: '.', processes: processTable(pid), random })
  try {
    const files = await LocalFileStore.open({ device, directory: 'files', hash })
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
    await files.removeLeftovers()
    await heads.removeLeftovers()
    const log = shared ? await sharedLog(device, random) : undefined
    const journal = log ?? localJournals(device, 'journal', random)
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const close = async (): Promise<void> => {
      await jobs.close()
      await files.close()
      await log?.close()
      await lock.release()
    }
    const components = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
    return await openKv(components, { settings: SETTINGS })
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function sharedLog(device: Device, random: SeededRandom): Promise<RenewedSharedJournal> {
  const states = await LocalHeadStore.open({ device, directory: 'state', hash, random })
  await states.removeLeftovers()
  const journals = localJournals(device, 'log', random)
  // Two segments: what nobody needs any more goes within the few writes of a test.
  return RenewedSharedJournal.open(() => openSharedLog(states, journals), { reclaimBytes: 2 * SEGMENT_BYTES })
}

function localJournals(device: Device, directory: string, random: SeededRandom): LocalJournalSystem {
  const settings = { segmentBytes: SEGMENT_BYTES, preallocateBytes: 512 }
  return new LocalJournalSystem({ device, directory, hash, random, settings })
}
