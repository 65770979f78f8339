/** How many branches of the compiled code were taken, by what Node has written of the processes that ran it. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, readText } from '../repository.ts'
import { executionCounts } from '../sometimes/execution-counts.ts'
import { BRANCH_GROUPS } from './branch-groups.ts'
import { branchesOf } from './branches.ts'
import { UNTAKEABLE } from './untakeable.ts'

export interface CoveredGroup {
  readonly name: string
  readonly taken: number
  /** Without those that are listed. */
  readonly of: number
  /** Those that cannot be taken, by the list. */
  readonly listed: number
  /** Those that were not: key, place and line of code. */
  readonly untaken: readonly string[]
}

export interface BranchCoverage {
  readonly groups: readonly CoveredGroup[]
  /** What the list says that is not true: keys of branches that are not there any more, or that were taken. */
  readonly wrong: readonly string[]
}

/**
 * @param directory that was `NODE_V8_COVERAGE` of the processes
 * @param listed reasons by the keys of branches that cannot be taken
 */
export function branchCoverage(directory: string, listed: ReadonlyMap<string, string> = UNTAKEABLE): BranchCoverage {
  const files = readdirSync(join(ROOT, 'build/src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !/\.(?:test|extra)\.js$/.test(name) && !name.startsWith('testing/'))
    .sort()
  const texts = new Map(files.map((file) => [file, readText(`build/src/${file}`)]))
  const branches = files.flatMap((file) => branchesOf(file, texts.get(file) ?? ''))
  const places = branches.flatMap(({ at, whole }) => (whole === undefined ? [at] : [at, whole]))
  const counts = executionCounts(directory, places)
  const groups = BRANCH_GROUPS.map(({ name }) => ({ name, taken: 0, of: 0, listed: 0, untaken: [] as string[] }))
  const there = new Set(branches.map(({ key }) => key))
  const wrong = [...listed.keys()].filter((key) => !there.has(key)).map((key) => `is not there any more: ${key}`)
  let next = 0
  for (const { key, at, whole } of branches) {
    const inside = counts[next++] ?? 0
    const taken = whole === undefined ? inside : (counts[next++] ?? 0) - inside
    const group = groups[BRANCH_GROUPS.findIndex(({ holds }) => holds(at.file))]
    if (group === undefined) continue
    if (listed.has(key)) {
      group.listed++
      if (taken > 0) wrong.push(`can be taken: ${key}`)
      continue
    }
    group.of++
    if (taken > 0) group.taken++
    else group.untaken.push(`${key}\n    ${described((whole ?? at).id, texts.get(at.file) ?? '')}`)
  }
  return { groups, wrong }
}

/** `100.0 %, 812 of 812 that can be taken: codecs (3 are listed)` */
export function describeGroup({ name, taken, of, listed }: CoveredGroup): string {
  const rest = listed === 0 ? '' : ` (${listed} are listed)`
  return `${percent(taken, of).toFixed(1)} %, ${taken} of ${of} that can be taken: ${name}${rest}`
}

export function percent(taken: number, of: number): number {
  return of === 0 ? 100 : (taken * 100) / of
}

function described(id: string, text: string): string {
  const line = Number(id.split(':')[1])
  return `${id}: ${text.split('\n')[line - 1]?.trim() ?? ''}`
}
