/** The job handler of flushes and merges, for workers: a function of its specification, so running it twice does no harm. */
import type { HandlerExport, JobOutput } from 'varve/jobs'
import { Encoder } from 'varve/kernel'
import { type CountTable, add } from './count-table.ts'
import { BLOCK_BYTES, COLUMNS, ROWS, encodeColumns, encodeRows, readBlock } from './formats.ts'

/** What the engine says of both outputs; `views` is the sum of all counts in them. */
export type PairParameters = Pick<JobOutput, 'group' | 'seqnoFirst' | 'seqnoLast'> & { readonly views: number }

/** Adds up its inputs, a frozen memtable or row files, and writes the sums in both formats. */
export const write: HandlerExport = {
  version: 1,
  async run(spec, context) {
    const sums = new Map<number, number>()
    for (const input of spec.inputs) {
      if (input.type === 'memory') {
        const [keys, counts] = input.image as ReturnType<CountTable['handOver']>
        keys.forEach((key, at) => add(sums, key, counts[at] ?? 0))
        continue
      }
      const file = await context.files.open(input.ref, { intent: 'stream' })
      for (let index = 0; index * BLOCK_BYTES < file.ref.bytes; index++) {
        for (const [key, count] of await readBlock(file, index, context.hash)) add(sums, key, count)
        await context.pause()
      }
    }
    const records = [...sums].sort(([a], [b]) => a - b)
    const meta = new Encoder().varint(records.reduce((sum, [, count]) => sum + count, 0)).finish()
    const { group, seqnoFirst, seqnoLast } = spec.parameters as PairParameters
    const outputs = [ROWS, COLUMNS].map(async (format): Promise<JobOutput> => {
      const file = await context.files.create(context.outputName(format.name))
      await file.write(format === ROWS ? encodeRows(records, file.name, context.hash) : encodeColumns(records))
      return { ref: await file.finish(), format, group, seqnoFirst, seqnoLast, meta }
    })
    return { outputs: await Promise.all(outputs), statistics: { records: records.length } }
  },
}
