/**
 * Of what workers elsewhere have merged, a few stretches of keys, merged again here and compared: every entry, and what
 * range tombstones cover.
 *
 *      inputs     ──────┬──────┬────────────────┬──────┬─────
 *                         again                   again
 *      outputs    ──────┴──────┴────────────────┴──────┴─────
 *
 * A worker that leaves something out says so with counts and footers that agree. Stretches begin at keys that the shard
 * knows to be in its inputs, chosen by chance: what is left out everywhere is found at once, what is left out of one key in a
 * hundred after a job or two.
 */

import { isCode } from '../../kernel/errors.ts'
import type { VarveError } from '../../kernel/errors.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import { compareCuts, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { KIB } from '../../kernel/limits.ts'
import type { Random } from '../../kernel/random.ts'
import type { FileStore } from '../../fs/fs.ts'
import type { JobOutput, JobSpec } from '../../jobs/jobs.ts'
import { jobFailed } from '../../jobs/queued-job.ts'
import { rejected } from '../../shard/job-runner.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import type { TableReaderOptions } from '../../sst/sst.ts'
import { TableCache } from '../../sst/table-cache.ts'
import { equalEntries, listEntries } from './entry-list.ts'
import type { ListedEntry } from './entry-list.ts'
import { fragmentTombstones } from './fragmentation.ts'
import type { MergeParameters } from './job-parameters.ts'
import { isKeyColumn } from './key-columns.ts'
import { mergeContent, mergeInputs } from './merge-content.ts'
import type { MergeInput, MergeRuns } from './merge-content.ts'
import type { Stripes } from './stripes.ts'
import { tableFormat } from './table-formats.ts'
import { keptFragments } from './table-job.ts'
import type { TableContent } from './table-job.ts'
import { decodeTableMeta } from './table-meta.ts'
import type { CutSpan } from './table-meta.ts'
import { SEQNO_SETTLED, VersionFilter } from './version-filter.ts'

// A block or two of each table.
const STRETCH = { entriesMax: 64, bytesMax: 64 * KIB }
// Sorting more would hold the thread for milliseconds.
const TOMBSTONES_MAX = 1000

export interface MergeSamplesParts {
  readonly files: FileStore
  /** The shard's own: it has the inputs open. */
  readonly tables: TableCache
  readonly reading: TableReaderOptions
  readonly random: Random
  /** Stretches of each job. */
  readonly count: number
}

/** What is in a stretch, for whoever reads as of one of the pinned seqnos or now. */
interface Stretch {
  readonly entries: readonly ListedEntry[]
  readonly fragments: readonly RangeFragment[]
}

export class MergeSamples {
  readonly #parts: MergeSamplesParts

  constructor(parts: MergeSamplesParts) {
    this.#parts = parts
  }

  /** @param jobs merges whose answers are right by themselves @throws {VarveError} JOB_REJECTED, and what the store throws */
  async check(jobs: readonly AnsweredJob[]): Promise<void> {
    const { files, reading, count } = this.#parts
    if (count === 0) return
    // The shard's own knows files of versions only.
    const written = new TableCache(files, { ...reading, cache: new BlockCache({ cacheBytes: 0 }) })
    try {
      for (const job of jobs) await this.#checkJob(job, written)
    } finally {
      await written.close()
    }
  }

  async #checkJob({ spec, outputs }: AnsweredJob, written: TableCache): Promise<void> {
    const { tables, reading, count, random } = this.#parts
    const inputs = mergeInputs(spec, reading.order, tables)
    const metas = inputs.flat().map(({ meta }) => meta)
    if (metas.reduce((sum, { rangeCount }) => sum + rangeCount, 0) > TOMBSTONES_MAX) return
    const made = [outputs.filter(({ format }) => !isKeyColumn(format)).map((output) => asInput(output, written))]
    const { lower, upper } = spec.parameters as MergeParameters
    const begins = metas
      .filter(({ entryCount }) => entryCount > 0)
      .flatMap(({ keyFirst, samples, keyLast }) => [keyFirst, ...samples, keyLast].map(cutBefore))
      .filter((cut) => compareCuts(reading.order, lower, cut) <= 0 && compareCuts(reading.order, cut, upper) < 0)
    for (let left = Math.min(count, begins.length); left > 0; left--) {
      const [begin] = begins.splice(random.u32() % begins.length, 1)
      await this.#checkStretch(spec, inputs, made, { lower: begin as KeyCut, upper })
    }
  }

  /** @param whole where the stretch begins, and where it ends at the latest */
  async #checkStretch(spec: JobSpec, inputs: MergeRuns, made: MergeRuns, whole: CutSpan): Promise<void> {
    const { order } = this.#parts.reading
    const { bottom } = spec.parameters as MergeParameters
    const contentOf = (runs: MergeRuns, span: CutSpan): Promise<TableContent> =>
      mergeContent(runs, span, spec.pinnedSeqnos, order, 'point')
    // Another owner may have removed them: as with a worker that does not find them.
    const { span, wanted } = await damageIs(jobFailed, spec, async () => {
      const { end } = await listEntries((await contentOf(inputs, whole)).cursor, { ...STRETCH, keeps: () => false })
      const stretch = { lower: whole.lower, upper: end ?? whole.upper }
      return { span: stretch, wanted: await mergedAgain(await contentOf(inputs, stretch), spec, order) }
    })
    const found = await damageIs(rejectedFor, spec, async (): Promise<Stretch> => {
      const { cursor, fragments, stripes } = await contentOf(made, span)
      // One more than there may be is enough to know.
      const { entries } = await listEntries(cursor, { entriesMax: wanted.entries.length + 1 })
      return { entries: bottom ? entries.map((entry) => settled(entry, stripes)) : entries, fragments }
    })
    if (!equalEntries(wanted.entries, found.entries) || !equalFragments(wanted.fragments, found.fragments, order))
      throw rejected(spec, 'merged again, a part of its inputs is something else than what its worker wrote')
  }
}

async function mergedAgain(content: TableContent, spec: JobSpec, order: KeyOrder): Promise<Stretch> {
  const { cursor, fragments, stripes } = content
  const { bottom } = spec.parameters as MergeParameters
  const filter = new VersionFilter(stripes, bottom, fragments, order)
  const { entries } = await listEntries(cursor, {
    keeps(batch, index) {
      filter.startsKey(batch, index)
      return filter.keeps(batch, index)
    },
  })
  // Those that adjoin may not differ any more.
  const tombstones = keptFragments(content, bottom).flatMap(({ lower, upper, seqnos }) =>
    seqnos.map((seqno) => ({ lower, upper, seqno })),
  )
  return { entries, fragments: fragmentTombstones(tombstones, order, stripes) }
}

/** What is written again as it was stored has its seqno still. */
function settled(entry: ListedEntry, stripes: Stripes): ListedEntry {
  return stripes.of(entry.seqno) === 0 ? { ...entry, seqno: SEQNO_SETTLED } : entry
}

/** Whatever else is met says nothing about the files. */
async function damageIs<Value>(
  what: (spec: JobSpec, damage: VarveError) => VarveError,
  spec: JobSpec,
  read: () => Promise<Value>,
): Promise<Value> {
  try {
    return await read()
  } catch (error) {
    throw isCode(error, 'TABLE_CORRUPT', 'FILE_MISSING', 'INCOMPATIBLE') ? what(spec, error) : error
  }
}

function rejectedFor(spec: JobSpec, { message }: VarveError): VarveError {
  return rejected(spec, message)
}

function asInput({ ref, format, meta, seqnoFirst, seqnoLast }: JobOutput, tables: TableCache): MergeInput {
  const source = tables.handle(ref, tableFormat(format))
  return { meta: decodeTableMeta(meta, ref.name), view: undefined, source, seqnos: [seqnoFirst, seqnoLast] }
}

function equalFragments(a: readonly RangeFragment[], b: readonly RangeFragment[], order: KeyOrder): boolean {
  return (
    a.length === b.length &&
    a.every(({ lower, upper, seqnos }, index) => {
      const other = b[index] as RangeFragment
      return (
        compareCuts(order, lower, other.lower) === 0 &&
        compareCuts(order, upper, other.upper) === 0 &&
        seqnos.length === other.seqnos.length &&
        seqnos.every((seqno, at) => seqno === other.seqnos[at])
      )
    })
  )
}
