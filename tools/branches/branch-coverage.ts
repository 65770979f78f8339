/** How many branches of the compiled code were taken, by what Node has written of the processes that ran it. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, readText } from '../repository.ts'
import { executionCounts } from '../sometimes/execution-counts.ts'
import { BRANCH_GROUPS } from './branch-groups.ts'
import { branchesOf } from './branches.ts'

export interface CoveredGroup {
  readonly name: string
  readonly taken: number
  readonly of: number
  /** Those that were not: place and line of code. */
  readonly untaken: readonly string[]
}

/** @param directory that was `NODE_V8_COVERAGE` of the processes */
export function branchCoverage(directory: string): readonly CoveredGroup[] {
  const files = readdirSync(join(ROOT, 'build/src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !/\.(?:test|extra)\.js$/.test(name) && !name.startsWith('testing/'))
    .sort()
  const texts = new Map(files.map((file) => [file, readText(`build/src/${file}`)]))
  const branches = files.flatMap((file) => branchesOf(file, texts.get(file) ?? ''))
  const places = branches.flatMap(({ at, whole }) => (whole === undefined ? [at] : [at, whole]))
  const counts = executionCounts(directory, places)
  const groups = BRANCH_GROUPS.map(({ name }) => ({ name, taken: 0, of: 0, untaken: [] as string[] }))
  let next = 0
  for (const { at, whole } of branches) {
    const inside = counts[next++] ?? 0
    const taken = whole === undefined ? inside : (counts[next++] ?? 0) - inside
    const group = groups[BRANCH_GROUPS.findIndex(({ holds }) => holds(at.file))]
    if (group === undefined) continue
    group.of++
    if (taken > 0) group.taken++
    else group.untaken.push(described((whole ?? at).id, texts.get(at.file) ?? ''))
  }
  return groups
}

/** `100.0 %, 812 of 812: codecs` */
export function describeGroup({ name, taken, of }: CoveredGroup): string {
  return `${percent(taken, of).toFixed(1)} %, ${taken} of ${of}: ${name}`
}

export function percent(taken: number, of: number): number {
  return of === 0 ? 100 : (taken * 100) / of
}

function described(id: string, text: string): string {
  const line = Number(id.split(':')[1])
  return `${id}: ${text.split('\n')[line - 1]?.trim() ?? ''}`
}
