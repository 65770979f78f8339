/**
 * What a key-value shard can be composed of, as a table: every part in the place of another. The model and abstract-level's
 * suite run over all of it.
 */

import { loadHash } from '../src/kernel/hash.ts'
import { EncryptedFileStore } from '../src/fs/encrypted-file-store.ts'
import { EncryptedHeadStore } from '../src/fs/encrypted-head-store.ts'
import { FaultyHeadStore } from '../src/fs/faulty-stores.ts'
import { KeyRing } from '../src/fs/key-ring.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { VarveError } from '../src/kernel/errors.ts'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import type { LocalOptions } from '../src/local-options.ts'
import { SortedArrayMemtable } from '../src/memtable/sorted-array.ts'
import { PoorJobScheduler } from '../src/testing/poor-job-scheduler.ts'
import { PoorJournalSystem } from '../src/testing/poor-journal-system.ts'
import { PoorFileStore, PoorHeadStore } from '../src/testing/poor-stores.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../src/testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../src/testing/simulated-device.ts'
import { withPartsElsewhere } from './parts-elsewhere.ts'
import { withPartsOnS3 } from './parts-on-s3.ts'
import { sharingLog } from './parts-on-shared-log.ts'
import { S3Double } from './s3/s3-double.ts'
import { clientOf } from './s3/s3-place.ts'
import type { S3Fault } from './s3/s3-quirks.ts'
import type { Composer, SimulationSettings } from './simulation.ts'

export interface Composition {
  readonly name: string
  /** Beside those of a test. */
  readonly settings?: SimulationSettings
  /** In a directory, as `open` makes it with these options. Default: on a simulated disk. */
  readonly local?: LocalOptions
  readonly device?: SimulatedDeviceOptions
  /** Made anew for every database. */
  readonly composer?: (seed: number) => Composer
  /** False: files cannot be read synchronously. */
  readonly syncReads?: false
}

const hash = await loadHash()
const SECRETS = [{ id: 'test', secret: new Uint8Array(32).fill(9) }]

export const COMPOSITIONS: readonly Composition[] = [
  { name: 'everything in memory', composer: inMemory },
  { name: 'a directory and worker threads, the default', local: {} },
  { name: 'a directory and jobs on the main thread', local: { jobs: 'inline' } },
  { name: 'an encrypted directory and worker threads', local: { encryption: { keys: SECRETS } } },
  {
    name: 'no compression, no filter, tiny blocks',
    settings: { compression: 'none', filterBitsPerKey: 0, blockBytes: 64 },
  },
  { name: 'a sorted array as the memtable', composer: () => ({ compose: withSortedArray }) },
  {
    name: 'a disk without synchronous calls',
    device: { syncRead: false, syncWrite: false },
    syncReads: false,
  },
  { name: 'encrypted files and heads', composer: encrypted },
  { name: 'poor stores, a poor journal and poor jobs', composer: poor, syncReads: false },
  {
    name: 'files, heads and jobs elsewhere, a local journal',
    composer: () => ({ compose: withPartsElsewhere }),
    syncReads: false,
  },
  {
    name: 'files and heads on S3, jobs elsewhere, a local journal',
    composer: onS3,
    syncReads: false,
  },
  { name: 'heads whose answers are lost', composer: forgetfulHeads },
  { name: 'a log shared with a neighbour', composer: (seed) => sharingLog(new SeededRandom(seed)) },
  { name: 'tiered compaction', settings: { policy: 'tiered' } },
  { name: 'lazy-leveled compaction', settings: { policy: 'lazy-leveled' } },
  { name: 'no cache', settings: { cacheBytes: 0 } },
]

const S3_FAULTS: readonly S3Fault[] = [500, 503, 'lost', 'answer-lost', '500-after', 'twice', 'refused']

export function compositionNamed(name: string | undefined): Composition {
  const found = COMPOSITIONS.find((each) => each.name === name)
  if (found === undefined) throw new RangeError(`no composition is called ${name}`)
  return found
}

function inMemory(): Composer {
  const files = new MemoryFileStore({ hash })
  const heads = new MemoryHeadStore()
  const storage = new MemoryJournalStorage()
  return {
    // Memory outlives a killed process here, which goes on in it: an owner that was replaced must come to rest by itself.
    compose: (parts) => withInlineJobs({ ...parts, files, heads, journal: new MemoryJournalSystem({ storage }) }),
    powerCut: () => storage.cutPower(),
  }
}

function encrypted(seed: number): Composer {
  const options = { keys: new KeyRing(SECRETS), random: new SeededRandom(seed), hash }
  return {
    compose: (parts) =>
      withInlineJobs({
        ...parts,
        files: new EncryptedFileStore(parts.files, options),
        heads: new EncryptedHeadStore(parts.heads, options),
      }),
  }
}

function poor(seed: number): Composer {
  const random = new SeededRandom(seed)
  return {
    compose(parts) {
      const { clock } = parts
      const late = { random, clock, turnsMax: 2 }
      const local = withInlineJobs({
        ...parts,
        files: new PoorFileStore(parts.files, late),
        heads: new PoorHeadStore(parts.heads, late),
        journal: new PoorJournalSystem(parts.journal, { ...late, read: false }),
      })
      const inner = withInlineJobs(local, 1000).jobs
      const jobs = new PoorJobScheduler({ inner, clock, pendingMax: 16, delayTurns: 3, random })
      return { ...local, localJobs: local.jobs, jobs, close: closingFirst([jobs, local.jobs], parts) }
    },
  }
}

function forgetfulHeads(seed: number): Composer {
  const random = new SeededRandom(seed)
  const error = new VarveError('OUTCOME_UNKNOWN', 'the answer was lost', { details: { operation: 'compareAndSet' } })
  return {
    compose: (parts) => ({
      ...parts,
      heads: new FaultyHeadStore(parts.heads, {
        clock: parts.clock,
        plan: ({ operation }) =>
          operation === 'compareAndSet' && random.once(2) ? { error, happens: true } : undefined,
      }),
    }),
  }
}

function onS3(seed: number): Composer {
  const random = new SeededRandom(seed)
  const double = S3Double.radosgw()
  // One request in fifty meets some failure: there are hundreds.
  double.plan = () => (random.once(50) ? S3_FAULTS[random.below(S3_FAULTS.length)] : undefined)
  const cacheDevice = new SimulatedDevice()
  return {
    compose: async (parts) =>
      withPartsElsewhere(await withPartsOnS3(parts, clientOf(double, random.u32()), cacheDevice)),
  }
}

function withSortedArray(parts: KvComponents): KvComponents {
  return { ...parts, memtable: (order) => new SortedArrayMemtable({ order }) }
}

/** Jobs that see the files that are in `parts` now. */
function withInlineJobs(parts: KvComponents, pendingMax?: number): KvComponents {
  const { files, clock } = parts
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  const settings = pendingMax === undefined ? {} : { pendingMax }
  const jobs = new InlineScheduler({ files, hash, clock, handlers, settings })
  return { ...parts, jobs, close: closingFirst([jobs], parts) }
}

function closingFirst(ours: readonly { close(): Promise<void> }[], { close }: KvComponents): () => Promise<void> {
  return async () => {
    for (const each of ours) await each.close()
    await close?.()
  }
}
