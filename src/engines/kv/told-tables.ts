/**
 * Tables that a worker elsewhere has written, held against what it says of them: with their inputs gone, nobody could make
 * them again.
 *
 * Each is opened where the shard has its files, which finds out that a worker has written to other ones, and its footer and
 * properties are read. Blocks are not: a shard that read everything again could as well have done the work.
 */

import { equalBytes } from '../../kernel/bytes.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { isCode } from '../../kernel/errors.ts'
import type { VarveError } from '../../kernel/errors.ts'
import { compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { FileStore } from '../../fs/fs.ts'
import type { JobOutput } from '../../jobs/jobs.ts'
import { rejected } from '../../shard/job-runner.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import { KeyColumnReader } from '../../sst/key-column-reader.ts'
import type { TableReader, TableReaderOptions } from '../../sst/sst.ts'
import { decodeColumnMeta, isKeyColumn } from './key-columns.ts'
import { tableFormat } from './table-formats.ts'
import { decodeTableMeta } from './table-meta.ts'

export class ToldTables {
  readonly #files: FileStore
  readonly #options: TableReaderOptions

  constructor(files: FileStore, options: TableReaderOptions) {
    this.#files = files
    this.#options = options
  }

  /** @param jobs whose answers are right by themselves @throws {VarveError} JOB_REJECTED, and what the store throws */
  async check(jobs: readonly AnsweredJob[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.#checkJob(job)))
  }

  async #checkJob({ spec, outputs }: AnsweredJob): Promise<void> {
    for (const output of outputs) {
      let difference: string | undefined
      try {
        difference = isKeyColumn(output.format) ? await this.#inColumn(output) : await this.#inTable(output)
      } catch (error) {
        if (!isDamage(error)) throw error
        difference = error.message
      }
      if (difference !== undefined) throw rejected(spec, difference)
    }
  }

  /** What the file says otherwise; undefined: nothing. */
  async #inTable(output: JobOutput): Promise<string | undefined> {
    const { ref, format } = output
    const reader = tableFormat(format).reader(await this.#files.open(ref, { intent: 'stream' }), this.#options)
    try {
      return await this.#difference(output, reader)
    } finally {
      await reader.close()
    }
  }

  async #difference({ ref, meta, seqnoFirst, seqnoLast }: JobOutput, reader: TableReader): Promise<string | undefined> {
    const { order } = this.#options
    const told = decodeTableMeta(meta, ref.name)
    const found = await filled((fetch) => reader.properties(fetch))
    const tombstones = (await filled((fetch) => reader.rangeTombstones(fetch))).list()
    let bounds: readonly [KeyCut, KeyCut] | undefined =
      found.entryCount === 0 ? undefined : [cutBefore(found.keyFirst), cutAfter(found.keyLast)]
    for (const { lower, upper } of tombstones) {
      const [least, greatest] = bounds ?? [lower, upper]
      bounds = [
        compareCuts(order, lower, least) < 0 ? lower : least,
        compareCuts(order, upper, greatest) > 0 ? upper : greatest,
      ]
    }
    const same =
      equalBytes(told.keyFirst, found.keyFirst) &&
      equalBytes(told.keyLast, found.keyLast) &&
      told.entryCount === found.entryCount &&
      told.deleteCount === found.deleteCount &&
      told.rangeCount === found.rangeCount &&
      seqnoFirst === found.seqnoFirst &&
      seqnoLast === found.seqnoLast &&
      bounds !== undefined &&
      compareCuts(order, told.lower, bounds[0]) === 0 &&
      compareCuts(order, told.upper, bounds[1]) === 0
    return same ? undefined : `${ref.name} has something else in it than its worker says`
  }

  async #inColumn({ ref, meta }: JobOutput): Promise<string | undefined> {
    const column = new KeyColumnReader(await this.#files.open(ref, { intent: 'stream' }), this.#options.hash)
    try {
      const { entryCount } = await column.summary()
      return entryCount === decodeColumnMeta(meta, ref.name).entryCount
        ? undefined
        : `${ref.name} has other entries than its worker says`
    } finally {
      await column.close()
    }
  }
}

async function filled<Value extends object>(ask: (fetch: BlockFetch) => Value | typeof PENDING): Promise<Value> {
  const fetch = new BlockFetch()
  try {
    for (;;) {
      const value = ask(fetch)
      if (value !== PENDING) return value
      await fetch.fill()
    }
  } finally {
    fetch.clear()
  }
}

/** Of the file: that it cannot be reached now says nothing about the answer. */
function isDamage(error: unknown): error is VarveError {
  return isCode(error, 'TABLE_CORRUPT', 'FILE_MISSING', 'INCOMPATIBLE')
}
