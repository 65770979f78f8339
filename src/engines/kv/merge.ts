/** The merge job: sorted runs of tables into one sorted run. */

import { assert } from '../../kernel/assert.ts'
import { mergeCursors } from '../../kernel/merge.ts'
import { SEQNO_MAX } from '../../kernel/ids.ts'
import type { JobContext, JobInput, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { RunCursor } from '../../sst/run-cursor.ts'
import { TableCache } from '../../sst/table-cache.ts'
import type { MergeParameters } from './job-parameters.ts'
import { resolveOrder } from './named-order.ts'
import { tableFormat } from './table-formats.ts'
import { writeTables } from './table-job.ts'
import { decodeTableMeta } from './table-meta.ts'

async function run(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const parameters = spec.parameters as MergeParameters
  const order = await resolveOrder(parameters.order)
  // Every block is read once: nothing is worth keeping.
  const cache = new BlockCache({ cacheBytes: 0 })
  const openFilesMax = spec.inputs.length + 1
  const tables = new TableCache(context.files, { order, hash: context.hash, cache }, { openFilesMax })
  try {
    const options = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' } as const
    const sources = parameters.runs.map((indexes) => {
      const level = indexes.map((index) => {
        const input = spec.inputs[index] as JobInput
        assert(input.type === 'file', 'a merge reads files')
        const { keyFirst, keyLast } = decodeTableMeta(input.meta, input.ref.name)
        return { keyFirst, keyLast, source: tables.handle(input.ref, tableFormat(input.format)) }
      })
      return new RunCursor(level, order, options, 'stream')
    })
    const merged = mergeCursors(sources, order, options)
    const { outputs, entriesRead, entriesDropped } = await writeTables(
      merged,
      order,
      parameters,
      spec,
      context,
      parameters.entriesExpected,
    )
    return { outputs, statistics: { entriesRead, entriesDropped } }
  } finally {
    await tables.close()
  }
}

export const merge = Object.freeze({ version: 1, run })
