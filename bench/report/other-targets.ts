/** Targets that are not a ratio of throughput to the best peer: space, latency, opening, and RocksDB without Node. */

import { LIMIT_PREFIX } from '../measure-limit.ts'
import { ratio, short } from './quantities.ts'
import type { Row } from './row.ts'
import { summarise } from './summary.ts'
import { figureOf } from './tables.ts'
import type { Cells } from './tables.ts'

const LSM_PEERS = ['classic-level', 'rocksdb', 'slatedb']
/** Through the batch interface, since db_bench makes no objects; its seek is another thing than ours. */
const AGAINST_DB_BENCH = ['fillseq', 'fillrandom/100', 'fillrandom/1000', 'readrandom/many']
const OPEN_MS_MAX = 20
const LOOP_P99_MS_MAX = 5
const LOOP_P999_MS_MAX = 10
const TAIL_SHARE_MAX = 1 / 5

interface Check {
  readonly what: string
  readonly wanted: string
  readonly measured: string
  readonly reached: boolean
}

/** Those whose rows are there. */
export function otherTargetCells(rows: readonly Row[]): Cells {
  const checks = [
    ...storage(rows),
    ...tail(rows),
    ...loop(rows),
    ...opening(rows),
    ...summarise(rows)
      .filter(({ workload, medians }) => AGAINST_DB_BENCH.includes(workload) && medians.has('varve'))
      .map(({ shape, workload, medians }) => {
        const what = `${workload} against db_bench, ${shape}`
        return compare(what, medians.get('varve'), medians.get('db_bench'), 1, 'at least')
      }),
  ].filter((check) => check !== undefined)
  if (checks.length === 0) return []
  return [
    ['target', 'wanted', 'measured', 'reached'],
    ...checks.map(({ what, wanted, measured, reached }) => [what, wanted, measured, reached ? 'yes' : 'no']),
  ]
}

function storage(rows: readonly Row[]): readonly (Check | undefined)[] {
  const prepared = rows.filter(({ workload, lacking }) => workload === 'prepare' && lacking === undefined)
  return [...new Set(prepared.map(({ shape }) => shape))].flatMap((shape) => {
    const figure = (peer: string, name: string): number | undefined =>
      figureOf(
        prepared.filter((row) => row.shape === shape && row.peer === peer),
        name,
      )
    const sizes = LSM_PEERS.map((peer) => figure(peer, 'diskBytes')).filter((size) => size !== undefined)
    const smallest = sizes.length === 0 ? undefined : Math.min(...sizes)
    return [
      compare(
        `on disk after compaction, to the smallest LSM peer, ${shape}`,
        figure('varve', 'diskBytes'),
        smallest,
        1,
        'at most',
      ),
      compare(
        `written by filling and compacting, to RocksDB, ${shape}`,
        figure('varve', 'writtenBytes'),
        figure('rocksdb', 'writtenBytes'),
        1,
        'at most',
      ),
    ]
  })
}

function tail(rows: readonly Row[]): readonly (Check | undefined)[] {
  const of = (peer: string): number | undefined => figureOf(select(rows, 'latency/half', peer), 'putP999Ms')
  const what = 'put p99.9 at half of peak, to classic-level'
  return [compare(what, of('varve'), of('classic-level'), TAIL_SHARE_MAX, 'at most')]
}

function loop(rows: readonly Row[]): readonly (Check | undefined)[] {
  const own = select(rows, 'latency/half', 'varve')
  const control = rows.filter(({ workload }) => workload === `${LIMIT_PREFIX}loop`)
  const over = (name: string): number | undefined => {
    const [held, merely] = [figureOf(own, name), figureOf(control, name)]
    return held === undefined || merely === undefined ? undefined : held - merely
  }
  return [
    below('event loop held over control, p99', over('loopP99Ms'), LOOP_P99_MS_MAX),
    below('event loop held over control, p99.9', over('loopP999Ms'), LOOP_P999_MS_MAX),
  ]
}

function opening(rows: readonly Row[]): readonly (Check | undefined)[] {
  const opened = select(rows, 'open', 'varve')
  return [...new Set(opened.map(({ shape }) => shape))].map((shape) =>
    below(
      `open a cleanly closed shard, ${shape}`,
      figureOf(
        opened.filter((row) => row.shape === shape),
        'openMs',
      ),
      OPEN_MS_MAX,
    ),
  )
}

function select(rows: readonly Row[], workload: string, peer: string): readonly Row[] {
  return rows.filter((row) => row.workload === workload && row.peer === peer && row.lacking === undefined)
}

function compare(
  what: string,
  own: number | undefined,
  other: number | undefined,
  bound: number,
  sense: 'at least' | 'at most',
): Check | undefined {
  if (own === undefined || other === undefined) return undefined
  const measured = own / other
  const reached = sense === 'at least' ? measured >= bound : measured <= bound
  return { what, wanted: `${sense} ${bound}×`, measured: ratio(measured), reached }
}

function below(what: string, valueMs: number | undefined, boundMs: number): Check | undefined {
  if (valueMs === undefined) return undefined
  return { what, wanted: `at most ${boundMs} ms`, measured: `${short(valueMs)} ms`, reached: valueMs <= boundMs }
}
