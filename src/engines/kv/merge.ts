/** The merge job: sorted runs of tables, or the part of them between two cuts, into one sorted run. */

import { assert } from '../../kernel/assert.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { SEQNO_MAX } from '../../kernel/ids.ts'
import {
  compareCuts,
  cutAfter,
  cutBefore,
  earlierCut,
  laterCut,
  rangeAfter,
  rangeBefore,
} from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { mergeCursors } from '../../kernel/merge.ts'
import type { RangeTombstone, RangeTombstones } from '../../kernel/range-tombstone.ts'
import type { HandlerExport, JobContext, JobInput, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import { RunCursor } from '../../sst/run-cursor.ts'
import { TableCache } from '../../sst/table-cache.ts'
import type { TableHandle } from '../../sst/table-handle.ts'
import { clipTombstones, coversAll, fragmentTombstones } from './fragmentation.ts'
import type { MergeParameters } from './job-parameters.ts'
import { resolveOrder } from './named-order.ts'
import { Stripes } from './stripes.ts'
import { tableFormat } from './table-formats.ts'
import { writeTables } from './table-job.ts'
import { decodeTableMeta } from './table-meta.ts'
import { decodeView, viewedMeta } from './key-view.ts'
import type { CutSpan, TableMeta } from './table-meta.ts'

interface MergeInput {
  readonly meta: TableMeta
  readonly view: CutSpan | undefined
  readonly source: TableHandle
  readonly seqnos: readonly [number, number]
}

async function run(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const parameters = spec.parameters as MergeParameters
  const order = await resolveOrder(parameters.order)
  const { lower, upper } = parameters
  // Every block is read once: nothing is worth keeping.
  const cache = new BlockCache({ cacheBytes: 0 })
  // Each run has one table open, and may be on its way to the next.
  const openFilesMax = parameters.runs.length * 2
  const { hash, lz4 } = context
  const tables = new TableCache(context.files, { order, hash, cache, lz4 }, { openFilesMax })
  try {
    const runs = parameters.runs.map((indexes) =>
      indexes.map((index): MergeInput => {
        const input = spec.inputs[index] as JobInput
        assert(input.type === 'file', 'a merge reads files')
        const source = tables.handle(input.ref, tableFormat(input.format))
        const seqnos = parameters.seqnos[index] as readonly [number, number]
        const whole = decodeTableMeta(input.meta, input.ref.name)
        const view = decodeView(input.view, input.ref.name)
        return { meta: view === undefined ? whole : viewedMeta(whole, view, order), view, source, seqnos }
      }),
    )
    const stripes = new Stripes(spec.pinnedSeqnos)
    const tombstones = clipTombstones(await tombstonesOf(runs.flat(), order, context.signal), order, lower, upper)
    const fragments = fragmentTombstones(tombstones, order, stripes)
    const range = rangeBefore(rangeAfter({}, lower), upper)
    const options = { range, reverse: false, seqno: SEQNO_MAX, versions: 'all' } as const
    const sources = runs.map((inputs) => {
      // What a range tombstone hides as a whole need not be read.
      const read = inputs.filter(({ meta, seqnos }) => {
        if (meta.entryCount === 0) return false
        const bounds = {
          lower: laterCut(order, cutBefore(meta.keyFirst), lower),
          upper: earlierCut(order, cutAfter(meta.keyLast), upper),
        }
        if (compareCuts(order, bounds.lower, bounds.upper) >= 0) return false
        return !coversAll(fragments, order, stripes, bounds, ...seqnos)
      })
      const tablesRead = read.map(({ meta: { keyFirst, keyLast }, view, source }) => ({
        keyFirst,
        keyLast,
        source,
        within: view,
      }))
      return new RunCursor(tablesRead, order, options, 'stream')
    })
    const cursor = mergeCursors(sources, order, options)
    const { outputs, entriesRead, entriesDropped } = await writeTables(
      { cursor, fragments, stripes },
      order,
      parameters,
      context,
    )
    return { outputs, statistics: { entriesRead, entriesDropped } }
  } finally {
    await tables.close()
  }
}

async function tombstonesOf(
  inputs: readonly MergeInput[],
  order: KeyOrder,
  signal: AbortSignal,
): Promise<readonly RangeTombstone[]> {
  const found: RangeTombstone[] = []
  const fetch = new BlockFetch()
  for (const { meta, view, source } of inputs) {
    if (meta.rangeCount === 0) continue
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

/** The handler that compactions name: module `varve/kv/jobs`, export `merge`. */
export const merge: HandlerExport = Object.freeze({ version: 1, run })
