/**
 * How long files are. Expect 60–200 lines; what grows past 300 is recorded, and grows further only on purpose.
 *
 * The record is tools/tidy-ratchet.json: path → lines. It holds exactly the files over the threshold, and may be above
 * the file by a little, so that small edits do not touch it.
 */

import { isSource, readJson } from './repository.ts'
import type { SourceFile } from './syntax.ts'

export const LENGTH_RULES = Object.freeze({
  /** The median published file is below this: the and the house style's number. */
  medianLimit: 170,
  /** A file above this says why, in its first comment, in a line that begins with `Long on purpose:`. */
  linesMax: 450,
  /** Above this a file is in the record. */
  recordedAbove: 300,
  /** A record further above the file than this is out of date. */
  slackMax: 20,
})

export type Ratchet = Readonly<Record<string, number>>

export function readRatchet(): Ratchet {
  return readJson('tools/tidy-ratchet.json') as Ratchet
}

export function lineCount(text: string): number {
  return text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

export function lengthProblems(sources: readonly SourceFile[], ratchet: Ratchet): readonly string[] {
  const problems: string[] = []
  const record: Record<string, number> = {}
  for (const source of sources) {
    const lines = lineCount(source.text)
    const recorded = ratchet[source.path]
    const { linesMax, recordedAbove, slackMax } = LENGTH_RULES
    if (isSource(source.path) && lines > linesMax && !isLongOnPurpose(source)) {
      problems.push(`${source.path} has ${lines} lines, at most ${linesMax}: look for the noun that wants out`)
    }
    if (lines > recordedAbove) {
      record[source.path] = lines
      if (recorded === undefined) problems.push(`${source.path} has grown to ${lines} lines: split it, or record it`)
      else if (lines > recorded)
        problems.push(`${source.path} has ${lines} lines and is recorded with ${recorded}: split it, or record it`)
      else if (recorded - lines > slackMax)
        problems.push(`${source.path} has shrunk to ${lines} lines, recorded are ${recorded}: lower the record`)
    } else if (recorded !== undefined) problems.push(`${source.path} has ${lines} lines: take it out of the record`)
  }
  const known = new Set(sources.map(({ path }) => path))
  for (const path of Object.keys(ratchet)) if (!known.has(path)) problems.push(`${path} is recorded and does not exist`)
  if (problems.length > 0)
    problems.push(`what tools/tidy-ratchet.json would be now: ${JSON.stringify(record, null, 2)}`)
  return problems
}

function isLongOnPurpose(source: SourceFile): boolean {
  const header = source.comments[0]
  return header !== undefined && header.value.split('\n').some((line) => /^[\s*]*Long on purpose: \S/.test(line))
}
