/** Medians of rounds, and how varve stands against the others in each line of the table. */

import { isVarve } from '../peers/peer-table.ts'
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

/** One line for each shape and workload, in the order in which they were first measured. */
export function summarise(rows: readonly Row[], limits: ReadonlyMap<string, number> = new Map()): readonly Line[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    if (row.workload === 'prepare') continue
    const name = `${row.shape} ${row.workload}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [row])
    else group.push(row)
  }
  return [...groups.values()].map((group) => lineOf(group, limits))
}

function lineOf(group: readonly Row[], limits: ReadonlyMap<string, number>): Line {
  const [{ shape, workload }] = group as [Row]
  const speeds = new Map<string, number[]>()
  const lacking = new Map<string, string>()
  for (const { peer, perSecond, lacking: reason } of group) {
    if (reason !== undefined) lacking.set(peer, reason)
    else speeds.set(peer, [...(speeds.get(peer) ?? []), perSecond])
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
