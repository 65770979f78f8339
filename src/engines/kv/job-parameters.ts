/** What the jobs of this engine are told besides their inputs: plain data. */

import type { FormatReference } from '../../jobs/jobs.ts'
import type { OrderReference } from './named-order.ts'

export interface TableParameters {
  /** undefined: bytewise. */
  readonly order: OrderReference | undefined
  readonly format: FormatReference
  readonly formatSettings: Readonly<Record<string, unknown>>
  /** Level of the outputs. */
  readonly group: number
  /** Another output is started at this size, in bytes. */
  readonly tableBytes: number
  /** Nothing older than the inputs exists in their key range: deletions may be dropped. */
  readonly bottom: boolean
}

export interface MergeParameters extends TableParameters {
  /**
   * Inputs by sorted run, newest run first: indexes into the specification's inputs, in key order and disjoint within a
   * run.
   */
  readonly runs: readonly (readonly number[])[]
  /** Of each input: its least and its greatest seqno. */
  readonly seqnos: readonly (readonly [number, number])[]
  readonly entriesExpected: number
}
