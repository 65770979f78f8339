/** One table and what is needed to write and read it, for the conformance suite and other tests. */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import { PENDING } from '../kernel/cursor.ts'
import { isCode } from '../kernel/errors.ts'
import type { RangeFragment } from '../kernel/fragment-list.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { fileName } from '../kernel/ids.ts'
import type { Seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { FileStore } from '../fs/fs.ts'
import { BlockCache } from '../sst/block-cache.ts'
import { BlockFetch } from '../sst/block-fetch.ts'
import type { TableFormat, TableReader, TableSummary } from '../sst/sst.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { batchesOf, sortEntries } from './entry-model.ts'
import type { ModelEntry } from './entry-model.ts'

/** A table format, as its conformance suite is given it. */
export interface TableFormatSuite extends ConformanceSuite {
  /** The format under test. */
  readonly format: TableFormat
  /** What the writer is given: something that makes many small blocks shows most. */
  readonly settings: Readonly<Record<string, unknown>>
  /** A new, empty file store. */
  openFiles(): Promise<FileStore>
  /** For checksums and keys. */
  readonly hash: Hash
  /** Budget of the block cache, in bytes. */
  readonly cacheBytes: number
}

export const NAME = fileName('000001-table')

export interface TablePlan {
  readonly name: string
  readonly entries: readonly ModelEntry[]
  readonly settings?: Readonly<Record<string, unknown>>
  readonly order?: KeyOrder
}

/** Makes the tests of a suite: each has a file store of its own. */
export function promises(
  suite: TableFormatSuite,
): (name: string, body: (bench: Bench) => Promise<void>, order?: KeyOrder) => void {
  return (name, body, order = BYTEWISE) => {
    testPromise(suite, name, async () => {
      const bench = new Bench(suite, order, await suite.openFiles())
      try {
        await body(bench)
      } finally {
        await bench.close()
      }
    })
  }
}

export function isDamage(error: unknown): boolean {
  return isCode(error, 'TABLE_CORRUPT', 'INCOMPATIBLE', 'FILE_MISSING')
}

/** Writes one table of sorted entries. */
export async function writeTable(
  files: FileStore,
  format: TableFormat,
  hash: Hash,
  plan: TablePlan,
): Promise<TableSummary> {
  const sink = await files.create(fileName(plan.name))
  const writer = format.writer(sink, { order: plan.order ?? BYTEWISE, hash, settings: plan.settings ?? {} })
  for (const batch of batchesOf(plan.entries, 50)) writer.append(batch, 0, batch.count)
  return await writer.finish()
}

/** The whole content of a file. */
export async function contentOf(files: FileStore, ref: FileRef): Promise<Uint8Array> {
  const file = await files.open(ref)
  const content = await file.read(0, ref.bytes)
  await file.close()
  return content
}

/** One table and what is needed to read it. */
export class Bench {
  readonly files: FileStore
  readonly #suite: TableFormatSuite
  readonly #order: KeyOrder
  #summary: TableSummary | undefined
  #reader: TableReader | undefined

  constructor(suite: TableFormatSuite, order: KeyOrder, files: FileStore) {
    this.#suite = suite
    this.#order = order
    this.files = files
  }

  get summary(): TableSummary {
    assert.ok(this.#summary !== undefined)
    return this.#summary
  }

  get reader(): TableReader {
    assert.ok(this.#reader !== undefined)
    return this.#reader
  }

  /** Writes a table and opens it. Returns its entries. */
  async write(
    entries: readonly ModelEntry[],
    fragments: readonly RangeFragment[] = [],
  ): Promise<readonly ModelEntry[]> {
    const sorted = sortEntries(entries, this.#order)
    this.#summary = await this.writeTo(this.files, sorted, 32, fragments)
    this.#reader = await this.read(this.files, this.#summary.ref, this.#order)
    return sorted
  }

  /** The first half of the fragments goes in before the entries, the rest after them. */
  async writeTo(
    files: FileStore,
    entries: readonly ModelEntry[],
    capacity: number,
    fragments: readonly RangeFragment[] = [],
  ): Promise<TableSummary> {
    const { format, hash, settings } = this.#suite
    const writer = format.writer(await files.create(NAME), { order: this.#order, hash, settings })
    const half = fragments.length >>> 1
    for (const fragment of fragments.slice(0, half)) writer.appendRange(fragment)
    for (const batch of batchesOf(entries, capacity)) {
      writer.append(batch, 0, batch.count)
      if (writer.pendingBytes > 1000) await writer.drain()
    }
    for (const fragment of fragments.slice(half)) writer.appendRange(fragment)
    assert.equal(writer.entryCount, entries.length, 'the writer counts entries')
    const summary = await writer.finish()
    assert.ok(summary.ref.bytes >= writer.bytes, 'bytes is what the file will have at least')
    return summary
  }

  async read(files: FileStore, ref: FileRef, order: KeyOrder): Promise<TableReader> {
    const { format, hash, cacheBytes } = this.#suite
    return format.reader(await files.open(ref), { order, hash, cache: new BlockCache({ cacheBytes }) })
  }

  /** A reader over other bytes under the same reference. */
  async readDamaged(ref: FileRef, content: Uint8Array): Promise<TableReader> {
    const files = await this.#suite.openFiles()
    const writer = await files.create(ref.name)
    if (content.length > 0) await writer.write(content)
    await writer.finish()
    return await this.read(files, ref, this.#order)
  }

  async content(): Promise<Uint8Array> {
    return await contentOf(this.files, this.summary.ref)
  }

  async ask<T>(question: (reader: TableReader, fetch: BlockFetch) => T | typeof PENDING): Promise<T> {
    const fetch = new BlockFetch()
    try {
      for (;;) {
        const answer = question(this.reader, fetch)
        if (answer !== PENDING) return answer
        await fetch.fill()
      }
    } finally {
      fetch.clear()
    }
  }

  async lookUp(key: Uint8Array, at: number, found: ReturnType<typeof emptyFound>): Promise<boolean> {
    const hash = hashKey(key, 0, key.length, 0)
    return await this.ask((reader, fetch) => reader.get(key, hash, at as Seqno, found, fetch))
  }

  async get(key: Uint8Array, at: number): Promise<ModelEntry | undefined> {
    const found = emptyFound()
    if (!(await this.lookUp(key, at, found))) return undefined
    const value = copyOf(found.block, found.valueStart, found.valueStart + found.valueLength)
    return { key, seqno: found.seqno, kind: found.kind, value }
  }

  async close(): Promise<void> {
    await this.#reader?.close()
    await this.#reader?.close()
    await this.files.close()
  }
}
