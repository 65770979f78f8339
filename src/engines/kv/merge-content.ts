/** What a merge goes over: the entries and range tombstones of its inputs between two cuts, as it says how they lie. */

import { assert } from '../../kernel/assert.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { SEQNO_MAX } from '../../kernel/ids.ts'
import { cutAfter, cutBefore, rangeAfter, rangeBefore } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { mergeCursors } from '../../kernel/merge.ts'
import type { RangeTombstone, RangeTombstones } from '../../kernel/range-tombstone.ts'
import type { JobInput, JobSpec } from '../../jobs/jobs.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import { RunCursor } from '../../sst/run-cursor.ts'
import type { TableCache } from '../../sst/table-cache.ts'
import type { TableHandle } from '../../sst/table-handle.ts'
import { clipTombstones, coversAll, fragmentTombstones } from './fragmentation.ts'
import type { MergeParameters } from './job-parameters.ts'
import { commonSpan, decodeView, isEmptySpan, viewedMeta } from './key-view.ts'
import { Stripes } from './stripes.ts'
import { tableFormat } from './table-formats.ts'
import type { TableContent } from './table-job.ts'
import { decodeTableMeta } from './table-meta.ts'
import type { CutSpan, TableMeta } from './table-meta.ts'

/** One table that is merged, or the part of it that its shard sees. */
export interface MergeInput {
  /** Of what is seen. */
  readonly meta: TableMeta
  readonly view: CutSpan | undefined
  readonly source: TableHandle
  /** The least and the greatest. */
  readonly seqnos: readonly [number, number]
}

/** By run, newest first; in key order and disjoint within a run. */
export type MergeRuns = readonly (readonly MergeInput[])[]

/** @param tables opens them when they are read */
export function mergeInputs(spec: JobSpec, order: KeyOrder, tables: TableCache): MergeRuns {
  const { runs, seqnos } = spec.parameters as MergeParameters
  return runs.map((indexes) =>
    indexes.map((index): MergeInput => {
      const input = spec.inputs[index] as JobInput
      assert(input.type === 'file', 'a merge reads files')
      const whole = decodeTableMeta(input.meta, input.ref.name)
      const view = decodeView(input.view, input.ref.name)
      return {
        meta: view === undefined ? whole : viewedMeta(whole, view, order),
        view,
        source: tables.handle(input.ref, tableFormat(input.format)),
        seqnos: seqnos[index] as readonly [number, number],
      }
    }),
  )
}

/** Whoever asks closes the cursor. @param intent see `TableReader.cursor` */
export async function mergeContent(
  runs: MergeRuns,
  span: CutSpan,
  pinnedSeqnos: readonly number[],
  order: KeyOrder,
  intent: 'point' | 'stream',
  signal?: AbortSignal,
): Promise<TableContent> {
  const stripes = new Stripes(pinnedSeqnos)
  const tombstones = clipTombstones(await tombstonesOf(runs.flat(), span, order, signal), order, span.lower, span.upper)
  const fragments = fragmentTombstones(tombstones, order, stripes)
  const range = rangeBefore(rangeAfter({}, span.lower), span.upper)
  const options = { range, reverse: false, seqno: SEQNO_MAX, versions: 'all' } as const
  const sources = runs.map((inputs) => {
    // What a range tombstone hides as a whole need not be read.
    const read = inputs.filter(({ meta, seqnos }) => {
      if (meta.entryCount === 0) return false
      const bounds = commonSpan({ lower: cutBefore(meta.keyFirst), upper: cutAfter(meta.keyLast) }, span, order)
      return !isEmptySpan(bounds, order) && !coversAll(fragments, order, stripes, bounds, ...seqnos)
    })
    const tablesRead = read.map(({ meta: { keyFirst, keyLast }, view, source }) => ({
      keyFirst,
      keyLast,
      source,
      within: view,
    }))
    return new RunCursor(tablesRead, order, options, intent)
  })
  return { cursor: mergeCursors(sources, order, options), fragments, stripes }
}

async function tombstonesOf(
  inputs: readonly MergeInput[],
  span: CutSpan,
  order: KeyOrder,
  signal?: AbortSignal,
): Promise<readonly RangeTombstone[]> {
  const found: RangeTombstone[] = []
  const fetch = new BlockFetch()
  for (const { meta, view, source } of inputs) {
    if (meta.rangeCount === 0 || isEmptySpan(commonSpan(meta, span, order), order)) continue
    try {
      for (;;) {
        const reader = source.reader(fetch)
        const tombstones: RangeTombstones | typeof PENDING =
          reader === PENDING ? PENDING : reader.rangeTombstones(fetch)
        if (tombstones !== PENDING) {
          const list = tombstones.list()
          const seen = view === undefined ? list : clipTombstones(list, order, view.lower, view.upper)
          for (const tombstone of seen) found.push(tombstone)
          break
        }
        if (reader !== PENDING) source.keepOpen(fetch)
        await fetch.fill(signal)
      }
    } finally {
      fetch.clear()
    }
  }
  return found
}
