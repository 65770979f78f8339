/** Point reads of random keys, of the prepared data. */

import { Chunk } from '../data/chunk.ts'
import { SeededNumbers } from '../data/random.ts'
import type { StoreSupport, Value } from '../peers/peer.ts'
import { inFlight, oneByOne, synchronously } from './pace.ts'
import { inChunks } from './workload.ts'
import type { Run, Workload } from './workload.ts'

const READ_SEED = 13
const WARM_SEED = 17
/** Compiles the code and warms caches: a hundredth of what is measured, and enough for the compiler. */
const WARM_OPERATIONS = 5000
const LANES = 100
const MANY = 100

type Way = 'awaited' | 'inflight' | 'sync' | 'many'

/** Reads a chunk's first `size` keys, and gives each result to `seen`. */
type ReadChunk = (size: number) => Promise<number> | number

function reader(run: Run, chunk: Chunk, way: Way, seen: (value: Value) => void): ReadChunk {
  const { store, stopwatch } = run
  const { keys } = chunk
  /** A peer that answers without a promise is spared the await: nobody who uses it would. */
  const get = (at: number): unknown => {
    const pending = store.get(keys[at] as Buffer)
    if (pending instanceof Promise) return pending.then(seen)
    seen(pending)
    return undefined
  }
  const awaited = async (size: number): Promise<number> => {
    for (let at = 0; at < size; at++) {
      const pending = store.get(keys[at] as Buffer)
      seen(pending instanceof Promise ? await pending : pending)
      if (at % 64 === 63 && stopwatch.expired) return at + 1
    }
    return size
  }
  const getSync = (at: number): void => seen(store.getSync(keys[at] as Buffer))
  const getMany = async (batch: number, size: number): Promise<void> => {
    const values = await store.getMany(keys.slice(batch * MANY, Math.min((batch + 1) * MANY, size)))
    for (const value of values) seen(value)
  }
  if (way === 'awaited') return awaited
  if (way === 'inflight') return (size) => inFlight(stopwatch, size, LANES, get)
  if (way === 'sync') return (size) => synchronously(stopwatch, size, getSync)
  return async (size) => {
    const batches = await oneByOne(stopwatch, Math.ceil(size / MANY), (batch) => getMany(batch, size))
    return Math.min(batches * MANY, size)
  }
}

async function read(run: Run, way: Way, missing: boolean): Promise<void> {
  const chunk = new Chunk(run.values)
  const { values, seen, wanted, model } = run
  const measure = reader(run, chunk, way, (value) => seen.add(value === undefined ? 0 : values.fingerprint(value)))
  const warm = reader(run, chunk, way, () => undefined)
  const set = (at: number, random: SeededNumbers): void => {
    if (missing) chunk.setMissingKey(at, random.below(run.keys))
    else chunk.setKey(at, random.below(run.keys))
  }
  const warming = new SeededNumbers(WARM_SEED)
  const warmSize = Math.min(chunk.size, WARM_OPERATIONS, run.operations)
  for (let at = 0; at < warmSize; at++) set(at, warming)
  await warm(warmSize)

  const random = new SeededNumbers(READ_SEED)
  await inChunks(run, chunk, {
    prepare: (at) => set(at, random),
    measure,
    account: (at) => wanted.add(missing ? 0 : model.read(chunk.indexes[at] as number)),
  })
}

function reading(
  name: string,
  title: string,
  way: Way,
  options: { missing?: boolean; needs?: keyof StoreSupport } = {},
): Workload {
  return {
    name,
    title,
    unit: 'gets/s',
    data: 'prepared',
    ...(options.needs === undefined ? {} : { needs: options.needs }),
    operations: (keys) => Math.max(1, Math.floor(keys / 2)),
    run: (run) => read(run, way, options.missing === true),
  }
}

export const READ_WORKLOADS: readonly Workload[] = [
  reading('readrandom/awaited', 'get, one at a time', 'awaited'),
  reading('readrandom/inflight', `get, ${LANES} in flight`, 'inflight'),
  reading('readrandom/sync', 'get, synchronous', 'sync', { needs: 'getSync' }),
  reading('readrandom/many', `getMany of ${MANY}`, 'many', { needs: 'getMany' }),
  reading('readmissing/awaited', 'get missing, one at a time', 'awaited', { missing: true }),
  reading('readmissing/sync', 'get missing, synchronous', 'sync', { missing: true, needs: 'getSync' }),
]
