/** What the jobs of this engine are told besides their inputs: plain data. */

import type { KeyCut } from '../../kernel/key-cut.ts'
import type { FormatReference } from '../../jobs/jobs.ts'
import type { OrderReference } from './named-order.ts'

export interface TableParameters {
  /** undefined: bytewise. */
  readonly order: OrderReference | undefined
  readonly format: FormatReference
  readonly formatSettings: Readonly<Record<string, unknown>>
  /** Write a key column beside every table. */
  readonly keyColumns: boolean
  /** Level of the outputs. */
  readonly group: number
  /** Another output is started at this size, in bytes. */
  readonly tableBytes: number
  /** An output is described by one of its keys for so many of its bytes: where later jobs may divide it. */
  readonly sampleBytes: number
  /** Nothing older than the inputs exists in their key range: deletions may be dropped. */
  readonly bottom: boolean
  /** How many entries there may be to read: for progress, and to size what grows with them. */
  readonly entriesExpected: number
}

export interface MergeParameters extends TableParameters {
  /**
   * Inputs by sorted run, newest run first: indexes into the specification's inputs, in key order and disjoint within a
   * run.
   */
  readonly runs: readonly (readonly number[])[]
  /** Of each input: its least and its greatest seqno. */
  readonly seqnos: readonly (readonly [number, number])[]
  /** The part of all keys that this job takes care of; other jobs have the others. */
  readonly lower: KeyCut
  readonly upper: KeyCut
}
