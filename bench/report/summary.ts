/** Medians of rounds, and how varve stands against the others in each line of the table. */

import { LIMIT_PREFIX } from '../measure-limit.ts'
import { isVarve } from '../peers/peer-table.ts'
import { groupBy } from './groups.ts'
import { median } from './quantities.ts'
import type { Row } from './row.ts'
import { targetOf } from './targets.ts'
import type { Target } from './targets.ts'

export interface Line {
  readonly shape: string
  readonly workload: string
  /** Median operations a second, by peer. */
  readonly medians: ReadonlyMap<string, number>
  /** Why a peer has none. */
  readonly lacking: ReadonlyMap<string, string>
  /** The fastest peer that persists. */
  readonly best: string | undefined
  readonly target: Target
  /** Of varve's default composition to what the target is against; undefined where one of them is missing. */
  readonly ratio: number | undefined
}

/** Peers that are measured but are no yardstick for the table's ratio: another language, or ourselves. */
function isYardstick(peer: string): boolean {
  return !isVarve(peer) && peer !== 'db_bench' && peer !== 'machine'
}

/** What of a row is compared; undefined where it is not known. */
export type SpeedOf = (row: Row) => number | undefined

/** Operations in a second of processor time: what a peer costs, whoever else uses the machine. */
export const perProcessorSecond: SpeedOf = ({ operations, figures }) => {
  const processorMs = figures['measuredCpuMs'] ?? 0
  return processorMs > 0 ? operations / (processorMs / 1000) : undefined
}

/** One line for each shape and workload, in the order in which they were first measured. */
export function summarise(rows: readonly Row[], speedOf: SpeedOf = ({ perSecond }) => perSecond): readonly Line[] {
  const limits = limitsOf(rows)
  const measured = rows.filter(({ workload }) => workload !== 'prepare' && !workload.startsWith(LIMIT_PREFIX))
  return [...groupBy(measured, ({ shape, workload }) => `${shape} ${workload}`).values()].map((group) =>
    lineOf(group, limits, speedOf),
  )
}

/** Median of each limit of the machine, by name. */
export function limitsOf(rows: readonly Row[]): ReadonlyMap<string, number> {
  const measured = rows.filter(({ workload, operations }) => workload.startsWith(LIMIT_PREFIX) && operations > 0)
  const limits = groupBy(measured, ({ workload }) => workload.slice(LIMIT_PREFIX.length))
  return new Map([...limits].map(([name, group]) => [name, median(group.map(({ perSecond }) => perSecond))]))
}

function lineOf(group: readonly Row[], limits: ReadonlyMap<string, number>, speedOf: SpeedOf): Line {
  const [{ shape, workload }] = group as readonly [Row]
  const speeds = new Map<string, number[]>()
  const lacking = new Map<string, string>()
  for (const row of group) {
    const { peer, lacking: reason } = row
    const speed = speedOf(row)
    if (reason !== undefined) lacking.set(peer, reason)
    else if (speed !== undefined) speeds.set(peer, [...(speeds.get(peer) ?? []), speed])
  }
  const medians = new Map([...speeds].map(([peer, figures]) => [peer, median(figures)]))
  const others = [...medians].filter(([peer]) => isYardstick(peer)).sort((a, b) => b[1] - a[1])
  const best = others[0]?.[0]
  const target = targetOf(workload)
  const yardstick =
    target.against === 'best' ? others[0]?.[1] : (medians.get(target.against) ?? limits.get(target.against))
  const own = medians.get('varve')
  const ratio = own === undefined || yardstick === undefined ? undefined : own / yardstick
  return { shape, workload, medians, lacking, best, target, ratio }
}
