/** The flush job: a frozen memtable, handed over as memory, into tables of level 0. */

import { assert } from '../../kernel/assert.ts'
import { SEQNO_MAX } from '../../kernel/ids.ts'
import type { JobContext, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { openTreeImage } from '../../memtable/tree-reader.ts'
import type { TreeImage } from '../../memtable/tree-reader.ts'
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
  const tree = openTreeImage(input.image as TreeImage, order)
  const cursor = tree.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' })
  const stripes = new Stripes(spec.pinnedSeqnos)
  const fragments = fragmentTombstones(tree.rangeTombstones.list(), order, stripes)
  const { outputs, entriesRead, entriesDropped } = await writeTables(
    { cursor, fragments, stripes },
    order,
    parameters,
    context,
  )
  return { outputs, statistics: { entriesRead, entriesDropped } }
}

export const flush = Object.freeze({ version: 1, run })
