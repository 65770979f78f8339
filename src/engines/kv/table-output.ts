/** One table that a job is writing, its key column, and what the manifest will say of it. */

import { copyOf } from '../../kernel/bytes.ts'
import type { EntryBatch } from '../../kernel/entry-batch.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { JobContext, JobOutput } from '../../jobs/jobs.ts'
import { KEY_COLUMN_FORMAT } from '../../sst/key-column.ts'
import { KeyColumnWriter } from '../../sst/key-column-writer.ts'
import type { TableWriter } from '../../sst/sst.ts'
import type { TableParameters } from './job-parameters.ts'
import { encodeColumnMeta } from './key-columns.ts'
import { tableFormat } from './table-formats.ts'
import { encodeTableMeta, tableMetaOf } from './table-meta.ts'

const FILE_EXTENSION = 'table'
const COLUMN_EXTENSION = 'keys'
// Samples are in every copy of the manifest. What keys of one table begin with in common is seldom longer.
const SAMPLE_KEY_BYTES_MAX = 64

export class TableOutput {
  readonly #writer: TableWriter
  readonly #column: KeyColumnWriter | undefined
  readonly #order: KeyOrder
  readonly #parameters: TableParameters
  readonly #samples: Uint8Array[] = []
  #sampleAt: number

  static async open(order: KeyOrder, parameters: TableParameters, context: JobContext): Promise<TableOutput> {
    const { files, hash, lz4, signal } = context
    const sink = await files.create(context.outputName(FILE_EXTENSION), { signal })
    const writer = tableFormat(parameters.format).writer(sink, {
      order,
      hash,
      lz4,
      settings: parameters.formatSettings,
    })
    if (!parameters.keyColumns) return new TableOutput(writer, undefined, order, parameters)
    const columnSink = await files.create(context.outputName(COLUMN_EXTENSION), { signal })
    return new TableOutput(writer, new KeyColumnWriter(columnSink, hash), order, parameters)
  }

  private constructor(
    writer: TableWriter,
    column: KeyColumnWriter | undefined,
    order: KeyOrder,
    parameters: TableParameters,
  ) {
    this.#writer = writer
    this.#column = column
    this.#order = order
    this.#parameters = parameters
    this.#sampleAt = parameters.sampleBytes
  }

  /** Bytes of finished blocks. */
  get bytes(): number {
    return this.#writer.bytes
  }

  /** Bytes that wait for `drain`. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes + (this.#column?.pendingBytes ?? 0)
  }

  /** As large as it should become. */
  get isFull(): boolean {
    return this.bytes >= this.#parameters.tableBytes
  }

  /** At so many bytes the caller appends what it has, and looks whether the table is full or takes a sample. */
  get nextStopBytes(): number {
    return Math.min(this.#sampleAt, this.#parameters.tableBytes)
  }

  append(batch: EntryBatch, start: number, limit: number): void {
    this.#writer.append(batch, start, limit)
    this.#column?.append(batch, start, limit)
  }

  /** Takes `key`, which comes next, as a sample, if it is time for one. */
  sample(key: Uint8Array): void {
    if (this.bytes < this.#sampleAt) return
    this.#sampleAt = this.bytes + this.#parameters.sampleBytes
    if (key.length <= SAMPLE_KEY_BYTES_MAX) this.#samples.push(key)
    // Any key will do, and in bytewise order the beginning of one is a key just before it.
    else if (this.#order.bytewise) this.#samples.push(copyOf(key, 0, SAMPLE_KEY_BYTES_MAX))
  }

  async drain(): Promise<void> {
    await this.#writer.drain()
    await this.#column?.drain()
  }

  /**
   * @param fragments what the table has of the range tombstones
   * @returns the table, and its key column, if there is one
   */
  async finish(fragments: readonly RangeFragment[]): Promise<readonly JobOutput[]> {
    for (const fragment of fragments) this.#writer.appendRange(fragment)
    const { ref, properties } = await this.#writer.finish()
    const { format, group } = this.#parameters
    const meta = encodeTableMeta(tableMetaOf(properties, fragments, this.#order, this.#samples))
    const { entryCount, seqnoFirst, seqnoLast } = properties
    const table: JobOutput = { ref, format, group, seqnoFirst, seqnoLast, meta }
    const column = this.#column
    if (column === undefined) return [table]
    if (entryCount === 0) {
      await column.abort()
      return [table]
    }
    const columnMeta = encodeColumnMeta(ref.name, column.entryCount)
    return [table, { ...table, ref: await column.finish(), format: KEY_COLUMN_FORMAT, meta: columnMeta }]
  }

  async abort(): Promise<void> {
    await this.#writer.abort()
    await this.#column?.abort()
  }
}
