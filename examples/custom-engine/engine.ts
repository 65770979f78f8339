/** The engine: what the generic shard needs to know of page views. */
import type { JobInput } from 'varve/jobs'
import { Decoder, MIB, VarveError, seqno } from 'varve/kernel'
import type { Engine, JobPlan, VersionFile } from 'varve/shard'
import { CountTable, type PageView } from './count-table.ts'
import { COLUMNS, ROWS, damaged } from './formats.ts'
import type { PairParameters } from './jobs.ts'

export const HANDLER = { module: 'page-views/jobs', export: 'write', version: 1 }
const [PAIRS_MERGED, PAIRS_KEPT, PAIRS_MAX] = [4, 6, 24]

/** The files of a version by format. Every job writes a pair: the same records in one file of each. */
export type Pairs = { readonly rows: readonly VersionFile[]; readonly columns: readonly VersionFile[] }

export const pageViewEngine: Engine<PageView, CountTable, Pairs> = {
  name: 'page-views',
  version: 1,
  identity: {},
  encode: ({ page, day, count }, into) => void into.varint(page).varint(day).varint(count),
  decode: (from) => ({ page: from.varint(), day: from.varint(), count: from.varint() }),
  memtable: () => new CountTable(),
  flush: (table) => (table.count === 0 ? [] : plan([{ type: 'memory', image: table.handOver() }], 0, table)),
  shape(files) {
    const of = (name: string): VersionFile[] => files.filter(({ format }) => format.name === name)
    return { rows: of(ROWS.name), columns: of(COLUMNS.name) }
  },
  choose({ shape, files, running }) {
    const free = small(shape).filter(({ ref }) => !running.has(ref.name))
    if (free.length <= PAIRS_KEPT) return []
    const rows = free.sort((a, b) => a.ref.bytes - b.ref.bytes).slice(0, PAIRS_MERGED)
    // No write is in two pairs, so the first one in a file tells its pair.
    const pairs = files.filter((file) => rows.some(({ seqnoFirst }) => seqnoFirst === file.seqnoFirst))
    return [{ type: 'rewrite', inputs: pairs.map(({ ref }) => ref.name), group: 1, parameters: undefined }]
  },
  rewrite({ inputs, group }, shape) {
    const rows = shape.rows.filter(({ ref }) => inputs.includes(ref.name))
    const files = rows.map(({ ref, format, meta, view }): JobInput => ({ type: 'file', ref, format, meta, view }))
    return plan(files, group, {
      views: rows.reduce((sum, { meta }) => sum + viewsOf(meta), 0),
      seqnoFirst: seqno(Math.min(...rows.map((file) => file.seqnoFirst))),
      seqnoLast: seqno(Math.max(...rows.map((file) => file.seqnoLast))),
    })
  },
  pressure: (shape) => (small(shape).length > PAIRS_MAX ? 'stop' : 'none'),
  async verify(jobs) {
    for (const { spec, outputs } of jobs) {
      const paired = outputs.map(({ format }) => format.name).join() === `${ROWS.name},${COLUMNS.name}`
      if (paired && outputs.every(({ meta }) => viewsOf(meta) === (spec.parameters as PairParameters).views)) continue
      throw new VarveError('JOB_REJECTED', `job ${spec.id} lost views or a file`, { details: { job: spec.id } })
    }
  },
  retire: () => undefined, // Nothing to let go of: reads close the files they open.
}

/** Pairs worth merging. A merge has its records in memory: pairs that have grown are left alone. */
const small = ({ rows }: Pairs): VersionFile[] => rows.filter(({ ref }) => ref.bytes <= 4 * MIB)
const viewsOf = (meta: Uint8Array): number => new Decoder(meta, () => damaged('a description')).varint()

function plan(inputs: readonly JobInput[], group: number, content: Omit<PairParameters, 'group'>): JobPlan[] {
  const { views, seqnoFirst, seqnoLast } = content
  const parameters: PairParameters = { group, views, seqnoFirst, seqnoLast }
  const memory = { memoryBytes: 64 * MIB, labels: [] }
  return [{ handler: HANDLER, inputs, parameters, requirements: memory, priority: group }]
}
