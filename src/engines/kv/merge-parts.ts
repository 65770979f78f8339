/** The jobs of a compaction: which of its tables each reads, and which part of the keys it takes care of. */

import { AFTER_ALL, BEFORE_ALL, compareCuts } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { MergeParameters, TableParameters } from './job-parameters.ts'
import { divideKeys } from './key-division.ts'
import type { KvTable } from './levels.ts'

export interface MergePart {
  /** Newest first, and in key order within a level. */
  readonly inputs: readonly KvTable[]
  readonly parameters: Omit<MergeParameters, keyof TableParameters> & Pick<TableParameters, 'entriesExpected'>
}

/**
 * Divides a compaction of much more than `jobBytes`; what is smaller is one part.
 *
 * @param inputs newest first, and in key order within a level
 */
export function mergeParts(inputs: readonly KvTable[], order: KeyOrder, jobBytes: number): readonly MergePart[] {
  const tables = inputs.map(({ file, meta }) => ({ bytes: file.ref.bytes, meta }))
  const cuts = [BEFORE_ALL, ...divideKeys(tables, order, jobBytes), AFTER_ALL]
  const parts: MergePart[] = []
  for (let index = 0; index + 1 < cuts.length; index++) {
    const lower = cuts[index] as KeyCut
    const upper = cuts[index + 1] as KeyCut
    const within = inputs.filter(
      ({ meta }) => compareCuts(order, meta.lower, upper) < 0 && compareCuts(order, meta.upper, lower) > 0,
    )
    // Cuts may lie outside of all tables: files of earlier releases have samples beyond their bounds.
    if (within.length > 0) parts.push(toPart(within, lower, upper, cuts.length - 1))
  }
  return parts
}

function toPart(inputs: readonly KvTable[], lower: KeyCut, upper: KeyCut, partCount: number): MergePart {
  const entries = inputs.reduce((sum, { meta }) => sum + meta.entryCount, 0)
  return {
    inputs,
    parameters: {
      runs: toRuns(inputs),
      seqnos: inputs.map(({ file }) => [file.seqnoFirst, file.seqnoLast]),
      lower,
      upper,
      entriesExpected: Math.ceil(entries / partCount),
    },
  }
}

/** Runs of inputs, newest first: each table of level 0 by itself, each deeper level as one run in key order. */
function toRuns(inputs: readonly KvTable[]): readonly (readonly number[])[] {
  const runs: number[][] = []
  const runOfLevel = new Map<number, number[]>()
  for (const [index, table] of inputs.entries()) {
    const level = table.file.group
    const run = level === 0 ? undefined : runOfLevel.get(level)
    if (run !== undefined) {
      run.push(index)
    } else {
      const started = [index]
      runs.push(started)
      runOfLevel.set(level, started)
    }
  }
  return runs
}
