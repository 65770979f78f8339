/** How often places were executed, by what Node has written to the directory `NODE_V8_COVERAGE` of each process. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './places.ts'

interface CountedRange {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

/** As V8 has them: ranges lie within each other, and the innermost one counts. Offsets are of the text of the script. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly CountedRange[] }[]
}

/** @returns in the order of `places`, of all processes together */
export function executionCounts(directory: string, places: readonly Place[]): readonly number[] {
  const counts = places.map(() => 0)
  const byFile = new Map<string, number[]>()
  for (const [index, { file }] of places.entries()) {
    const indexes = byFile.get(file)
    if (indexes === undefined) byFile.set(file, [index])
    else indexes.push(index)
  }
  const offsetOf = (index: number): number => places[index]?.offset ?? 0
  for (const indexes of byFile.values()) indexes.sort((a, b) => offsetOf(a) - offsetOf(b))
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { readonly result: ScriptCoverage[] }
    for (const script of result) {
      const indexes = byFile.get(script.url.split('/build/src/')[1] ?? '')
      if (indexes === undefined) continue
      const found = countsAt(script, indexes.map(offsetOf))
      for (const [at, index] of indexes.entries()) counts[index] = (counts[index] ?? 0) + (found[at] ?? 0)
    }
  }
  return counts
}

/** @param offsets ascending */
function countsAt({ functions }: ScriptCoverage, offsets: readonly number[]): readonly number[] {
  const ranges = functions
    .flatMap((each) => each.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  /** Those that hold the offset looked at, the innermost last. */
  const around: CountedRange[] = []
  let next = 0
  return offsets.map((offset) => {
    for (let range = ranges[next]; range !== undefined && range.startOffset <= offset; range = ranges[++next]) {
      while (around.length > 0 && (around.at(-1)?.endOffset ?? 0) <= range.startOffset) around.pop()
      around.push(range)
    }
    while (around.length > 0 && (around.at(-1)?.endOffset ?? 0) <= offset) around.pop()
    return around.at(-1)?.count ?? 0
  })
}
