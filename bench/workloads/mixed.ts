/** Reads while a writer goes on at a fixed rate; deletions of ranges. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Chunk } from '../data/chunk.ts'
import { makeKey } from '../data/keys.ts'
import { Permutation } from '../data/permutation.ts'
import { SeededNumbers, mix } from '../data/random.ts'
import { ownerOf, versionOf } from '../data/values.ts'
import type { Values } from '../data/values.ts'
import type { Value } from '../peers/peer.ts'
import { oneByOne } from './pace.ts'
import { inChunks } from './workload.ts'
import type { Run, Workload } from './workload.ts'

const READ_SEED = 31
const WRITE_SEED = 37
const RANGE_SEED = 41
const WRITES_PER_SECOND = 10_000
const WRITE_BATCH = 100
const FIRST_VERSION = 2
/** A reader that never lets the event loop turn would also be without a writer. */
const READS_PER_TURN = 64
const RANGE_KEYS = 100

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A value that is being written may be read in either version, so only its owner counts, and that it is whole. */
export function ownerFingerprint(values: Values, value: Value): number {
  if (value === undefined) return 0
  const owner = ownerOf(value)
  return values.fingerprint(value) === values.expected(owner, versionOf(value)) ? mix(owner) : 0
}

async function readWhileWriting(run: Run): Promise<void> {
  const chunk = new Chunk(run.values)
  const { store, values, seen, wanted, stopwatch } = run
  const writer = { running: true, written: 0 }
  const writing = write(run, writer)
  const startMs = performance.now()
  const random = new SeededNumbers(READ_SEED)
  await inChunks(run, chunk, {
    prepare: (at) => chunk.setKey(at, random.below(run.keys)),
    measure: async (size) => {
      for (let at = 0; at < size; at++) {
        const pending = store.get(chunk.keys[at] as Buffer)
        seen.add(ownerFingerprint(values, pending instanceof Promise ? await pending : pending))
        if (at % READS_PER_TURN === READS_PER_TURN - 1) {
          await turn()
          if (stopwatch.expired) return at + 1
        }
      }
      return size
    },
    account: (at) => wanted.add(mix(chunk.indexes[at] as number)),
  })
  writer.running = false
  await writing
  run.figures['writesPerSecond'] = Math.round(writer.written / ((performance.now() - startMs) / 1000))
}

async function write(run: Run, writer: { readonly running: boolean; written: number }): Promise<void> {
  const chunk = new Chunk(run.values, WRITE_BATCH)
  const random = new SeededNumbers(WRITE_SEED)
  const startMs = performance.now()
  while (writer.running) {
    if (writer.written > ((performance.now() - startMs) / 1000) * WRITES_PER_SECOND) {
      await sleep(1)
      continue
    }
    for (let at = 0; at < chunk.size; at++) {
      chunk.setEntry(at, random.below(run.keys), FIRST_VERSION + writer.written + at)
    }
    await run.store.batch(chunk.keys, chunk.values, 0, chunk.size)
    for (let at = 0; at < chunk.size; at++) {
      run.model.versions[chunk.indexes[at] as number] = FIRST_VERSION + writer.written + at
    }
    writer.written += chunk.size
  }
}

async function deleteRanges(run: Run): Promise<void> {
  const order = new Permutation(Math.floor(run.keys / RANGE_KEYS), RANGE_SEED)
  const chunk = new Chunk(run.values)
  const limits: Buffer[] = []
  await inChunks(run, chunk, {
    prepare(at, operation) {
      const first = order.at(operation) * RANGE_KEYS
      chunk.setKey(at, first)
      limits[at] = makeKey(first + RANGE_KEYS)
    },
    measure: (size) =>
      oneByOne(run.stopwatch, size, (at) => run.store.deleteRange(chunk.keys[at] as Buffer, limits[at] as Buffer)),
    account(at) {
      const first = chunk.indexes[at] as number
      run.model.versions.fill(0, first, first + RANGE_KEYS)
    },
  })
}

export const MIXED_WORKLOADS: readonly Workload[] = [
  {
    name: 'readwhilewriting',
    title: `get, one at a time, while ${WRITES_PER_SECOND / 1000}k puts/s go on`,
    unit: 'gets/s',
    data: 'copy',
    agrees: false,
    operations: (keys) => Math.max(1, Math.floor(keys / 4)),
    run: readWhileWriting,
  },
  {
    name: 'deleterange',
    title: `delete ranges of ${RANGE_KEYS} keys`,
    unit: 'ranges/s',
    data: 'copy',
    needs: 'deleteRange',
    operations: (keys) => Math.max(1, Math.floor(keys / RANGE_KEYS)),
    run: deleteRanges,
  },
]
