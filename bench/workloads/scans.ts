/** Scans of everything, both ways, and of 50 entries from a random key. */

import { Chunk } from '../data/chunk.ts'
import { expectedKeyFingerprint, keyFingerprint } from '../data/keys.ts'
import { SeededNumbers } from '../data/random.ts'
import type { Visit } from '../peers/peer.ts'
import { oneByOne } from './pace.ts'
import { inChunks } from './workload.ts'
import type { Run, Workload } from './workload.ts'

const SEEK_SEED = 19
const WARM_SEED = 23
const WARM_SEEKS = 200
const SEEK_ENTRIES = 50
const WARM_ENTRIES = 20_000

/** Adds up every entry, keys and values. */
export function visitor({ values, seen }: Pick<Run, 'values' | 'seen'>): Visit {
  return (key, value) => seen.add((values.fingerprint(value) + keyFingerprint(key)) | 0)
}

async function scanAll(run: Run, reverse: boolean): Promise<void> {
  await run.store.scan({ reverse, limit: Math.min(WARM_ENTRIES, run.keys) }, () => undefined)
  run.stopwatch.start()
  await run.store.scan({ reverse, limit: Infinity }, visitor(run))
  run.stopwatch.stop()
  run.done = run.seen.count
  for (let index = 0; index < run.keys; index++) run.wanted.add(run.model.entry(index))
}

async function seek(run: Run): Promise<void> {
  const chunk = new Chunk(run.values)
  const { store, wanted, model } = run
  const visit = visitor(run)
  const warming = new SeededNumbers(WARM_SEED)
  for (let round = 0; round < WARM_SEEKS; round++) {
    chunk.setKey(0, warming.below(run.keys))
    await store.scan({ from: chunk.keys[0] as Buffer, reverse: false, limit: SEEK_ENTRIES }, () => undefined)
  }
  const random = new SeededNumbers(SEEK_SEED)
  await inChunks(run, chunk, {
    prepare: (at) => chunk.setKey(at, random.below(run.keys)),
    measure: (size) =>
      oneByOne(run.stopwatch, size, (at) =>
        store.scan({ from: chunk.keys[at] as Buffer, reverse: false, limit: SEEK_ENTRIES }, visit),
      ),
    account: (at) => {
      const first = chunk.indexes[at] as number
      const limit = Math.min(first + SEEK_ENTRIES, run.keys)
      for (let index = first; index < limit; index++) {
        wanted.add((model.read(index) + expectedKeyFingerprint(index)) | 0)
      }
    },
  })
}

export const SCAN_WORKLOADS: readonly Workload[] = [
  {
    name: 'readseq',
    title: 'full scan',
    unit: 'entries/s',
    data: 'prepared',
    operations: (keys) => keys,
    run: (run) => scanAll(run, false),
  },
  {
    name: 'readreverse',
    title: 'full scan, descending',
    unit: 'entries/s',
    data: 'prepared',
    operations: (keys) => keys,
    run: (run) => scanAll(run, true),
  },
  {
    name: 'seekrandom',
    title: `seek + ${SEEK_ENTRIES} entries`,
    unit: 'seeks/s',
    data: 'prepared',
    operations: (keys) => Math.max(1, Math.floor(keys / 20)),
    run: seek,
  },
]
