/** The key-value engine, as the generic shard sees it. */

import type { Decoder, Encoder } from '../../kernel/codec.ts'
import { lowerCut, upperCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { MIB } from '../../kernel/limits.ts'
import type { JobInput } from '../../jobs/jobs.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type {
  AnsweredJob,
  Change,
  ChooseInput,
  Engine,
  JobPlan,
  Pressure,
  Rewrite,
  Underway,
  VersionFile,
} from '../../shard/shard.ts'
import type { TableCache } from '../../sst/table-cache.ts'
import { checkAnswers } from './answer-check.ts'
import { chooseCompactions, chooseRangeCompaction } from './compaction.ts'
import type { RewriteParameters } from './compaction.ts'
import type { MergeParameters, TableParameters } from './job-parameters.ts'
import { firstPoint, lastPoint } from './key-point.ts'
import { makeLevels } from './levels.ts'
import type { KvTable, Levels } from './levels.ts'
import { mergeParts } from './merge-parts.ts'
import type { MergeSamples } from './merge-samples.ts'
import { referenceTo } from './named-order.ts'
import type { NamedOrder } from './named-order.ts'
import { decodeOperation, encodeOperation } from './operation-codec.ts'
import { OperationLoad } from './operation-load.ts'
import type { KvSettings } from './settings.ts'
import { tableFormat, WRITTEN_FORMAT } from './table-formats.ts'
import type { ToldTables } from './told-tables.ts'

const JOB_MODULE = 'varve/kv/jobs'
// Blocks of each input, an output's index and filter, and what waits to be collected: a merge of five tables had 22 MiB.
const JOB_MEMORY_BYTES = 20 * MIB
// Jobs divide their inputs at samples: with so many, they differ in size by a fourth at most.
const SAMPLES_PER_JOB = 4
// Flushes first, then what begins in level 0, which writes wait for, then the deeper levels.
const FLUSH_PRIORITY = 0

export interface KvEngineParts {
  readonly settings: KvSettings
  readonly order: KeyOrder
  readonly namedOrder: NamedOrder | undefined
  readonly memtable: () => OrderedMemtable
  readonly tables: TableCache
  /** Looks at what jobs elsewhere have written; undefined: there are none. */
  readonly told: ToldTables | undefined
  /** Merges some of it again; undefined likewise. */
  readonly samples: MergeSamples | undefined
}

export class KvEngine implements Engine<OrderedOperation, OrderedMemtable, Levels> {
  readonly name = 'kv'
  readonly version = 1
  readonly identity: Readonly<Record<string, string>>
  readonly #parts: KvEngineParts

  constructor(parts: KvEngineParts) {
    this.#parts = parts
    this.identity = Object.freeze({ order: parts.order.name })
  }

  encode(operation: OrderedOperation, into: Encoder): void {
    encodeOperation(operation, into)
  }

  decode(from: Decoder): OrderedOperation {
    return decodeOperation(from)
  }

  load(table: OrderedMemtable): OperationLoad | undefined {
    return table.supports.load ? new OperationLoad(table.load()) : undefined
  }

  memtable(): OrderedMemtable {
    return this.#parts.memtable()
  }

  flush(table: OrderedMemtable): readonly JobPlan[] {
    if (table.count === 0) return []
    // Level 0 files may overlap, so a flush is never split: level 0 counts flushes.
    const parameters = {
      ...this.#tableParameters(0, false, Infinity),
      entriesExpected: table.count - table.rangeTombstones.count,
    }
    return [
      {
        handler: { module: JOB_MODULE, export: 'flush', version: 1 },
        inputs: [{ type: 'memory', image: table.handOver() }],
        parameters: parameters satisfies TableParameters,
        requirements: { memoryBytes: JOB_MEMORY_BYTES, labels: [] },
        priority: FLUSH_PRIORITY,
      },
    ]
  }

  shape(files: readonly VersionFile[], previous: Levels | undefined): Levels {
    const { order, tables } = this.#parts
    return makeLevels(files, previous, order, (file) => tables.handle(file.ref, tableFormat(file.format)))
  }

  choose(input: ChooseInput<Levels>): readonly Change[] {
    return chooseCompactions(this.#parts, input)
  }

  /** Compacts `range` into one run; undefined where it is. */
  chooseRange(shape: Levels, underway: Underway, range: KeyRange): Change | 'blocked' | undefined {
    const bounds = { first: firstPoint(lowerCut(range)), last: lastPoint(upperCut(range)) }
    return chooseRangeCompaction(this.#parts, shape, underway.changes, bounds)
  }

  rewrite(change: Rewrite, shape: Levels): readonly JobPlan[] {
    const { order, settings } = this.#parts
    const { bottom } = change.parameters as RewriteParameters
    const names = new Set(change.inputs)
    // Level by level, as the shape has them: newest first, and in key order within a level.
    const inputs = shape.levels.flatMap((level) => level.filter((table) => names.has(table.file.ref.name)))
    return mergeParts(inputs, order, settings.jobBytes).map((part) => ({
      handler: { module: JOB_MODULE, export: 'merge', version: 1 },
      inputs: part.inputs.map(toInput),
      parameters: {
        ...this.#tableParameters(change.group, bottom, settings.tableBytes),
        ...part.parameters,
      } satisfies MergeParameters,
      requirements: { memoryBytes: JOB_MEMORY_BYTES, labels: [] },
      priority: (inputs[0]?.file.group ?? 0) + 1,
    }))
  }

  pressure(shape: Levels): Pressure {
    const { policy, level0FilesStop } = this.#parts.settings
    const level0 = shape.levels[0] as readonly KvTable[]
    // Nothing would ever take files out of level 0.
    if (policy === 'fifo') return 'none'
    return level0.length >= level0FilesStop ? 'stop' : 'none'
  }

  async verify(jobs: readonly AnsweredJob[]): Promise<void> {
    checkAnswers(jobs, this.#parts.order)
    // What memory goes into is written by this process.
    const elsewhere = jobs.filter(({ spec }) => spec.inputs.every((input) => input.type === 'file'))
    await this.#parts.told?.check(elsewhere)
    await this.#parts.samples?.check(elsewhere)
  }

  retire(file: VersionFile): void {
    // Cursors that see the file are gone by now, and nobody waits for its descriptor.
    void this.#parts.tables.forget(file.ref.name)
  }

  #tableParameters(group: number, bottom: boolean, tableBytes: number): Omit<TableParameters, 'entriesExpected'> {
    const { settings, namedOrder } = this.#parts
    const { blockBytes, compression, filterBitsPerKey } = settings
    return {
      order: referenceTo(namedOrder),
      format: WRITTEN_FORMAT,
      formatSettings: { blockBytes, codec: compression, filterBitsPerKey },
      keyColumns: settings.keyColumns,
      group,
      tableBytes,
      sampleBytes: Math.ceil(settings.jobBytes / SAMPLES_PER_JOB),
      bottom,
    }
  }
}

function toInput({ file }: KvTable): JobInput {
  const { ref, format, meta, view } = file
  return { type: 'file', ref, format, meta, view }
}
