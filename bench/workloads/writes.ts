/** Fills, overwrites and single puts. */

import { Chunk } from '../data/chunk.ts'
import { Permutation } from '../data/permutation.ts'
import { SeededNumbers } from '../data/random.ts'
import { inFlight, oneByOne } from './pace.ts'
import { inChunks } from './workload.ts'
import type { Run, Workload } from './workload.ts'

const ORDER_SEED = 7
const OVERWRITE_SEED = 11
/** Versions of prepared data are 1. */
const FIRST_OVERWRITE = 2
export const OVERWRITE_BATCH = 100

/** Writes every key once, in batches. */
export async function fill(run: Run, order: (operation: number) => number, batchSize: number): Promise<void> {
  const chunk = new Chunk(run.values)
  const { keys, values } = chunk
  const { store } = run
  await inChunks(run, chunk, {
    prepare: (at, operation) => chunk.setEntry(at, order(operation), 1),
    measure: async (size) => {
      const batches = await oneByOne(run.stopwatch, Math.ceil(size / batchSize), (batch) =>
        store.batch(keys, values, batch * batchSize, Math.min((batch + 1) * batchSize, size)),
      )
      return Math.min(batches * batchSize, size)
    },
    account: (at) => {
      run.model.versions[chunk.indexes[at] as number] = 1
    },
  })
}

export function randomOrder(keys: number): (operation: number) => number {
  const order = new Permutation(keys, ORDER_SEED)
  return (operation) => order.at(operation)
}

type PutName = 'put' | 'putSynced'

async function put(run: Run, name: PutName, lanes: number, order: (operation: number) => number): Promise<void> {
  const chunk = new Chunk(run.values)
  const { keys, values } = chunk
  const { store } = run
  const operation =
    name === 'put'
      ? (at: number): unknown => store.put(keys[at] as Buffer, values[at] as Buffer)
      : (at: number): unknown => store.putSynced(keys[at] as Buffer, values[at] as Buffer)
  await inChunks(run, chunk, {
    prepare: (at, number) => chunk.setEntry(at, order(number), 1),
    measure: (size) =>
      lanes === 1 ? oneByOne(run.stopwatch, size, operation) : inFlight(run.stopwatch, size, lanes, operation),
    account: (at) => {
      run.model.versions[chunk.indexes[at] as number] = 1
    },
  })
}

export async function overwrite(run: Run, batchSize: number): Promise<void> {
  const chunk = new Chunk(run.values)
  const { keys, values } = chunk
  const { store } = run
  const random = new SeededNumbers(OVERWRITE_SEED)
  await inChunks(run, chunk, {
    prepare: (at, operation) => chunk.setEntry(at, random.below(run.keys), FIRST_OVERWRITE + operation),
    measure: async (size) => {
      const batches = await oneByOne(run.stopwatch, Math.ceil(size / batchSize), (batch) =>
        store.batch(keys, values, batch * batchSize, Math.min((batch + 1) * batchSize, size)),
      )
      return Math.min(batches * batchSize, size)
    },
    account: (at, operation) => {
      run.model.versions[chunk.indexes[at] as number] = FIRST_OVERWRITE + operation
    },
  })
}

/** Tells the model of `run.operations` overwrites that another process has made. */
export function overwritten(run: Run): void {
  const random = new SeededNumbers(OVERWRITE_SEED)
  for (let operation = 0; operation < run.operations; operation++) {
    run.model.versions[random.below(run.keys)] = FIRST_OVERWRITE + operation
  }
}

const share =
  (divisor: number) =>
  (keys: number): number =>
    Math.max(1, Math.floor(keys / divisor))

function fillRandom(batchSize: number, operations: (keys: number) => number): Workload {
  return {
    name: `fillrandom/${batchSize}`,
    title: `fill random, batches of ${batchSize}`,
    unit: 'entries/s',
    data: 'empty',
    operations,
    run: (run) => fill(run, randomOrder(run.keys), batchSize),
  }
}

function putting(name: PutName, lanes: number, operations: (keys: number) => number): Workload {
  const how = lanes === 1 ? 'one at a time' : `${lanes} in flight`
  return {
    name: `${name === 'put' ? 'put' : 'fillsync'}/${lanes}`,
    title: name === 'put' ? `put, ${how}` : `put synced, ${how}`,
    unit: 'puts/s',
    data: 'empty',
    ...(name === 'put' ? {} : { synced: true, needs: 'synced' as const }),
    operations,
    run: (run) => put(run, name, lanes, randomOrder(run.keys)),
  }
}

export const WRITE_WORKLOADS: readonly Workload[] = [
  {
    name: 'fillseq',
    title: 'fill in order, batches of 100',
    unit: 'entries/s',
    data: 'empty',
    operations: share(1),
    run: (run) => fill(run, (operation) => operation, 100),
  },
  fillRandom(1, share(4)),
  fillRandom(100, share(1)),
  fillRandom(1000, share(1)),
  {
    name: 'overwrite',
    title: 'overwrite random, batches of 100',
    unit: 'entries/s',
    data: 'copy',
    operations: share(1),
    run: (run) => overwrite(run, OVERWRITE_BATCH),
  },
  // All of them: a quarter of the large values fits in what some peers have in memory, and nothing but their log is measured.
  putting('put', 1, share(1)),
  putting('put', 100, share(2)),
  putting('putSynced', 1, share(250)),
  putting('putSynced', 100, share(25)),
]
