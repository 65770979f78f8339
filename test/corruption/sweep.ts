/** Runs damages through a database and counts what became of them, by kind of file. */

import type { Damage } from './damage.ts'
import { examine } from './examination.ts'
import type { Specimen } from './specimen.ts'

export interface Tally {
  cases: number
  /** Answered as before the damage. */
  whole: number
  /** A typed error. */
  detected: number
  /** Answered as before the last writes, which nothing bears witness of. */
  shortened: number
  readonly codes: Map<string, number>
}

export interface SweepReport {
  readonly tallies: Map<string, Tally>
  /** Wrong answers, untyped errors, no answer. */
  readonly failures: string[]
}

export interface SweepOptions {
  /** Which of the damages: those whose number leaves `first` when divided by `step`. Default: all. */
  readonly first?: number
  readonly step?: number
  /** Every how many cases also to write, compact and open again. */
  readonly thoroughEvery: number
}

const FAILURES_MAX = 20

export async function sweep(
  specimen: Specimen,
  damages: Iterable<Damage>,
  options: SweepOptions,
  report: SweepReport = { tallies: new Map(), failures: [] },
): Promise<SweepReport> {
  const { first = 0, step = 1, thoroughEvery } = options
  let index = -1
  let taken = 0
  for (const damage of damages) {
    if (++index % step !== first) continue
    await examineOne(specimen, damage, taken++ % thoroughEvery === 0, report)
    if (report.failures.length >= FAILURES_MAX) break
  }
  return report
}

async function examineOne(specimen: Specimen, damage: Damage, thorough: boolean, report: SweepReport): Promise<void> {
  const kind = kindOf(damage.paths[0] as string)
  const tally = report.tallies.get(kind) ?? { cases: 0, whole: 0, detected: 0, shortened: 0, codes: new Map() }
  report.tallies.set(kind, tally)
  tally.cases++
  try {
    const verdict = await examine(specimen, damage.image, thorough)
    if (verdict === 'whole') tally.whole++
    else if (verdict.codes.size === 0) tally.shortened++
    else {
      tally.detected++
      for (const code of verdict.codes) tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1)
    }
  } catch (error) {
    report.failures.push(`${specimen.name}, ${damage.what}: ${String(error)}`)
  }
}

/** `heads/main.head-0000000000000003` is a head; `log/shared` a shared log. */
function kindOf(path: string): string {
  if (path.startsWith('state/')) return 'state of a shared log'
  if (path.startsWith('log/')) return `${ownKind(path)} of a shared log`
  return ownKind(path)
}

function ownKind(path: string): string {
  if (path.startsWith('heads/')) return 'head'
  if (/\/(?:fence|synced)\./.test(path)) return path.includes('fence') ? 'fence' : 'witness'
  return /\.(?:log|table|manifest)$/.exec(path)?.[0].slice(1) ?? path.slice(path.lastIndexOf('/') + 1)
}

export function casesOf({ tallies }: SweepReport): number {
  let sum = 0
  for (const { cases } of tallies.values()) sum += cases
  return sum
}

/** A line for each kind of file. */
export function describeReport({ tallies }: SweepReport): readonly string[] {
  return [...tallies].sort(byName).map(([kind, { cases, whole, detected, shortened, codes }]) => {
    const named = [...codes].sort(byName).map(([code, count]) => `${code} ${count}`)
    return `${kind}: ${cases} cases, ${detected} detected, ${whole} answered as before, ${shortened} without the tail (${named.join(', ')})`
  })
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1
}
