/**
 * RocksDB's own `db_bench`, in C++ without Node: the native mark, where it is installed (Debian: rocksdb-tools).
 *
 * It makes no objects and its results are not checked, so it is shown beside the peers and is not one of them.
 */

import { spawn } from 'node:child_process'
import { layOut } from '../lay-out.ts'
import type { Task, TaskEnd } from '../task.ts'

export const DB_BENCH = 'db_bench'

const MIB = 1024 * 1024
const OUTPUT_CHARACTERS_MAX = 100_000

interface Invocation {
  readonly benchmark: string
  readonly flags?: readonly string[]
  /** Whether it works on what is there. */
  readonly existing: boolean
}

const BATCH = (size: number): readonly string[] => [`--batch_size=${size}`]

/** What comes nearest to each workload. */
const INVOCATIONS: Readonly<Record<string, Invocation>> = Object.freeze({
  // Compacting changes nothing that `readrandom` of a peer has not had done to it.
  prepare: { benchmark: 'filluniquerandom,compact', flags: BATCH(100), existing: false },
  fillseq: { benchmark: 'fillseq', flags: BATCH(100), existing: false },
  'fillrandom/1': { benchmark: 'filluniquerandom', existing: false },
  'fillrandom/100': { benchmark: 'filluniquerandom', flags: BATCH(100), existing: false },
  'fillrandom/1000': { benchmark: 'filluniquerandom', flags: BATCH(1000), existing: false },
  overwrite: { benchmark: 'overwrite', flags: BATCH(100), existing: true },
  'fillsync/1': { benchmark: 'filluniquerandom', flags: ['--sync=1'], existing: false },
  'readrandom/sync': { benchmark: 'readrandom', existing: true },
  'readrandom/many': { benchmark: 'multireadrandom', flags: BATCH(100), existing: true },
  'readmissing/sync': { benchmark: 'readmissing', existing: true },
  readseq: { benchmark: 'readseq', existing: true },
  readreverse: { benchmark: 'readreverse', existing: true },
  seekrandom: { benchmark: 'seekrandom', flags: ['--seek_nexts=50'], existing: true },
})

function settings({ cacheBytes }: Task): Readonly<Record<string, string | number>> {
  return {
    compression_type: 'lz4',
    compression_ratio: 0.5,
    bloom_bits: 10,
    cache_size: cacheBytes,
    write_buffer_size: 64 * MIB,
    max_background_jobs: 2,
    threads: 1,
    key_size: 16,
  }
}

export async function runDbBench(task: Task, operations: number): Promise<TaskEnd> {
  const invocation = INVOCATIONS[task.workload]
  if (invocation === undefined) return { type: 'unable', reason: 'has no such benchmark' }
  const { benchmark, existing, flags = [] } = invocation
  await layOut(task)
  const common = Object.entries(settings(task)).map(([name, value]) => `--${name}=${value}`)
  const amount = [
    `--num=${task.keys}`,
    `--writes=${operations}`,
    `--reads=${operations}`,
    `--value_size=${task.valueBytes}`,
  ]
  const place = [`--db=${task.directory}`, `--use_existing_db=${existing ? 1 : 0}`]
  const started = performance.now()
  const { code, output } = await capture([`--benchmarks=${benchmark}`, ...place, ...amount, ...common, ...flags])
  if (code === 'ENOENT') return { type: 'unable', reason: 'is not installed' }
  const found = /^\w+ +: +[\d.]+ micros\/op (\d+) ops\/sec ([\d.]+) seconds (\d+) operations/m.exec(output)
  if (code !== 0 || found === null) return { type: 'failed', reason: `ended with ${code}; ${output.slice(-500)}` }
  return {
    type: 'outcome',
    outcome: {
      operations: Number(found[3]),
      elapsedMs: (Number(found[3]) / Number(found[1])) * 1000,
      digest: '',
      wanted: '',
      figures: { wholeMs: Math.round(performance.now() - started) },
      settings: settings(task),
    },
  }
}

function capture(args: readonly string[]): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(DB_BENCH, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (text: string): void => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', (error) => resolve({ code: 'code' in error ? String(error.code) : error.message, output }))
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'unknown', output }))
  })
}
