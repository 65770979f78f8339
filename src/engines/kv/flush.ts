/** The flush job: a frozen memtable, handed over as memory, into tables of level 0. */

import { assert } from '../../kernel/assert.ts'
import { SEQNO_MAX } from '../../kernel/ids.ts'
import type { HandlerExport, JobContext, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { openMemtableImage } from '../../memtable/memtable-image.ts'
import type { TableParameters } from './job-parameters.ts'
import { resolveOrder } from './named-order.ts'
import { fragmentTombstones } from './fragmentation.ts'
import { Stripes } from './stripes.ts'
import { writeTables } from './table-job.ts'

async function run(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const parameters = spec.parameters as TableParameters
  const input = spec.inputs[0]
  assert(input?.type === 'memory', 'a flush has one input, in memory')
  const order = await resolveOrder(parameters.order)
  const table = openMemtableImage(input.image, order)
  const cursor = table.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' })
  const stripes = new Stripes(spec.pinnedSeqnos)
  const fragments = fragmentTombstones(table.rangeTombstones.list(), order, stripes)
  const { outputs, entriesRead, entriesDropped } = await writeTables(
    { cursor, fragments, stripes },
    order,
    parameters,
    context,
  )
  return { outputs, statistics: { entriesRead, entriesDropped } }
}

/** The handler that `flush` jobs name: module `varve/kv/jobs`, export `flush`. */
export const flush: HandlerExport = Object.freeze({ version: 1, run })
