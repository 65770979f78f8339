/**
 * The six core workloads of YCSB ("Benchmarking Cloud Serving Systems with YCSB", Cooper et al., SoCC 2010): mixes of
 * reads, updates, inserts and short scans, with popular keys. One client, one request at a time, as YCSB starts.
 */

import { Chunk } from '../data/chunk.ts'
import { SeededNumbers } from '../data/random.ts'
import { Zipf } from '../data/zipf.ts'
import { visitor } from './scans.ts'
import { inChunks } from './workload.ts'
import type { Run, Workload } from './workload.ts'

const SEED = 29
const SCAN_ENTRIES_MAX = 100
const FIRST_VERSION = 2
/** Asking for the time costs 30 ns. */
const OPERATIONS_PER_LOOK = 64

type Kind = 'read' | 'update' | 'insert' | 'scan' | 'modify'

interface Mix {
  readonly title: string
  /** What the rest of the operations do. */
  readonly mostly: Kind
  readonly otherwise: Kind
  /** How many of a hundred do it. */
  readonly otherwisePercent: number
  /** Whether the newest keys are the popular ones. */
  readonly latest: boolean
}

const MIXES: Readonly<Record<string, Mix>> = Object.freeze({
  a: { title: 'half reads, half updates', mostly: 'read', otherwise: 'update', otherwisePercent: 50, latest: false },
  b: { title: '95 reads, 5 updates', mostly: 'read', otherwise: 'update', otherwisePercent: 5, latest: false },
  c: { title: 'reads', mostly: 'read', otherwise: 'read', otherwisePercent: 0, latest: false },
  d: {
    title: '95 reads of the latest, 5 inserts',
    mostly: 'read',
    otherwise: 'insert',
    otherwisePercent: 5,
    latest: true,
  },
  e: { title: '95 short scans, 5 inserts', mostly: 'scan', otherwise: 'insert', otherwisePercent: 5, latest: false },
  f: {
    title: 'half reads, half read-modify-writes',
    mostly: 'read',
    otherwise: 'modify',
    otherwisePercent: 50,
    latest: false,
  },
})

async function ycsb(run: Run, mix: Mix): Promise<void> {
  const chunk = new Chunk(run.values)
  const random = new SeededNumbers(SEED)
  const zipf = new Zipf(run.keys, random)
  const kinds: Kind[] = []
  const lengths = new Uint32Array(chunk.size)
  const { model, wanted } = run
  // Keys inserted in front of the next operation; and those of operations that were done.
  let inserted = run.keys
  let held = run.keys

  await inChunks(run, chunk, {
    prepare(at, operation) {
      const kind = random.below(100) < mix.otherwisePercent ? mix.otherwise : mix.mostly
      kinds[at] = kind
      lengths[at] = 1 + random.below(SCAN_ENTRIES_MAX)
      const chosen = mix.latest ? inserted - 1 - zipf.next() : zipf.nextScattered()
      chunk.setEntry(at, kind === 'insert' ? inserted++ : chosen, FIRST_VERSION + operation)
    },
    measure: (size) => perform(run, chunk, kinds, lengths, size),
    account(at, operation) {
      const index = chunk.indexes[at] as number
      const kind = kinds[at] as Kind
      if (kind === 'read' || kind === 'modify') wanted.add(model.read(index))
      if (kind === 'scan') {
        const limit = Math.min(index + (lengths[at] as number), held)
        for (let entry = index; entry < limit; entry++) wanted.add(model.entry(entry))
      }
      if (kind === 'insert') held++
      if (kind !== 'read' && kind !== 'scan') model.versions[index] = FIRST_VERSION + operation
    },
  })
}

async function perform(
  run: Run,
  { keys, values }: Chunk,
  kinds: readonly Kind[],
  lengths: Uint32Array,
  size: number,
): Promise<number> {
  const { store, seen, stopwatch } = run
  const visit = visitor(run)
  for (let at = 0; at < size; at++) {
    const kind = kinds[at] as Kind
    const key = keys[at] as Buffer
    if (kind === 'read' || kind === 'modify') {
      const pending = store.get(key)
      const value = pending instanceof Promise ? await pending : pending
      seen.add(value === undefined ? 0 : run.values.fingerprint(value))
    }
    if (kind === 'scan') {
      const pending = store.scan({ from: key, reverse: false, limit: lengths[at] as number }, visit)
      if (pending instanceof Promise) await pending
    } else if (kind !== 'read') {
      const pending = store.put(key, values[at] as Buffer)
      if (pending instanceof Promise) await pending
    }
    if (at % OPERATIONS_PER_LOOK === OPERATIONS_PER_LOOK - 1 && stopwatch.expired) return at + 1
  }
  return size
}

export const YCSB_WORKLOADS: readonly Workload[] = Object.entries(MIXES).map(([letter, mix]) => ({
  name: `ycsb/${letter}`,
  title: `YCSB ${letter.toUpperCase()}: ${mix.title}`,
  unit: 'operations/s',
  data: 'copy' as const,
  operations: (keys: number) => Math.max(1, Math.floor(keys / (letter === 'e' ? 20 : 4))),
  run: (run: Run) => ycsb(run, mix),
}))
