/** The merge job: sorted runs of tables, or the part of them between two cuts, into one sorted run. */

import type { HandlerExport, JobContext, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { TableCache } from '../../sst/table-cache.ts'
import type { MergeParameters } from './job-parameters.ts'
import { mergeContent, mergeInputs } from './merge-content.ts'
import { resolveOrder } from './named-order.ts'
import { writeTables } from './table-job.ts'

async function run(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const parameters = spec.parameters as MergeParameters
  const order = await resolveOrder(parameters.order)
  // Every block is read once: nothing is worth keeping.
  const cache = new BlockCache({ cacheBytes: 0 })
  // Each run has one table open, and may be on its way to the next.
  const openFilesMax = parameters.runs.length * 2
  const { hash, lz4, signal } = context
  const tables = new TableCache(context.files, { order, hash, cache, lz4 }, { openFilesMax })
  try {
    const inputs = mergeInputs(spec, order, tables)
    const content = await mergeContent(inputs, parameters, spec.pinnedSeqnos, order, 'stream', signal)
    const { outputs, entriesRead, entriesDropped } = await writeTables(content, order, parameters, context)
    return { outputs, statistics: { entriesRead, entriesDropped } }
  } finally {
    await tables.close()
  }
}

/** The handler that compactions name: module `varve/kv/jobs`, export `merge`. */
export const merge: HandlerExport = Object.freeze({ version: 1, run })
