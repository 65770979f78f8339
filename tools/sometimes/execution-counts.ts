/** How often places were executed, by what Node has written to the directory `NODE_V8_COVERAGE` of each process. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './places.ts'

/** As V8 has them: ranges lie within each other, and the innermost one counts. Offsets are of the text of the script. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[]
  }[]
}

/** @returns by the id of the place, of all processes together */
export function executionCounts(directory: string, places: readonly Place[]): ReadonlyMap<string, number> {
  const counts = new Map(places.map(({ id }) => [id, 0]))
  const byFile = new Map<string, Place[]>()
  for (const place of places) byFile.set(place.file, [...(byFile.get(place.file) ?? []), place])
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { readonly result: ScriptCoverage[] }
    for (const script of result) {
      const file = script.url.split('/build/src/')[1]
      for (const { id, offset } of byFile.get(file ?? '') ?? []) {
        counts.set(id, (counts.get(id) ?? 0) + countAt(script, offset))
      }
    }
  }
  return counts
}

function countAt({ functions }: ScriptCoverage, offset: number): number {
  let [found, length] = [0, Infinity]
  for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
    if (startOffset > offset || endOffset <= offset || endOffset - startOffset > length) continue
    found = count
    length = endOffset - startOffset
  }
  return found
}
