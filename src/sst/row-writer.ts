/**
 * Writes one row table.
 *
 * Entries go into a block builder; a finished block is compressed, checksummed, named in the index and queued for the
 * sink. All of that is synchronous; only `drain` and `finish` touch the sink.
 */

import { assert } from '../kernel/assert.ts'
import { copyOf, sharedPrefixLength } from '../kernel/bytes.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_DELETE } from '../kernel/entry.ts'
import { VarveError } from '../kernel/errors.ts'
import type { RangeFragment } from '../kernel/fragment-list.ts'
import { hashKey } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import { seqno } from '../kernel/ids.ts'
import { compareCuts } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { KIB, LIMITS } from '../kernel/limits.ts'
import type { FileWriter } from '../fs/fs.ts'
import { BlockEncoder } from './block-encoder.ts'
import {
  PART_BLOCK,
  PART_FILTER,
  PART_INDEX,
  PART_PROPERTIES,
  PART_RANGES,
  fileIdentity,
  partSeed,
} from './file-identity.ts'
import { LoneBlock } from './lone-block.ts'
import { OutputQueue } from './output-queue.ts'
import { RowBlockBuilder } from './row-block-builder.ts'
import { RowFilterBuilder } from './row-filter.ts'
import { encodeFooter } from './row-footer.ts'
import type { PartHandle } from './row-footer.ts'
import { RowIndexBuilder } from './row-index-builder.ts'
import { encodeProperties } from './row-properties.ts'
import type { RowProperties } from './row-properties.ts'
import { encodeRanges } from './row-ranges.ts'
import { resolveRowTableSettings } from './row-settings.ts'
import type { RowTableSettings } from './row-settings.ts'
import { shortSeparator } from './separator.ts'
import { sharedInBatch } from './shared-in-batch.ts'
import type { TableSummary, TableWriter, TableWriterOptions } from './sst.ts'

/**
 * An entry of at least this size has a block to itself: a lookup of a neighbour does not decode it, and it is handed out
 * without its neighbours staying in memory with it. Smaller ones share, whatever `blockBytes` says.
 */
const LONE_ENTRY_BYTES = 32 * KIB

// An entry's block adds its header and columns: what is left for key and value together.
const ENTRY_BYTES_MAX = LIMITS.blockBytesMax - 1 * KIB

export class RowTableWriter implements TableWriter {
  readonly #sink: FileWriter
  readonly #order: KeyOrder
  readonly #hash: Hash
  readonly #settings: RowTableSettings
  readonly #identity: bigint
  readonly #output: OutputQueue
  readonly #block = new RowBlockBuilder()
  readonly #encoder: BlockEncoder
  readonly #index = new RowIndexBuilder()
  readonly #filter = new RowFilterBuilder()
  readonly #fragments: RangeFragment[] = []
  readonly #loneEntryBytes: number
  #state: 'open' | 'finished' | 'aborted' = 'open'
  #entryCount = 0
  #deleteCount = 0
  #keyCount = 0
  #keyBytes = 0
  #valueBytes = 0
  #rangeCount = 0
  #seqnoFirst = Number.MAX_SAFE_INTEGER
  #seqnoLast = 0
  #keyFirst: Uint8Array = new Uint8Array(0)
  /** The entry appended last, by its key's copy and its seqno. */
  #lastKey = new Uint8Array(64)
  #lastKeyLength = 0
  #lastSeqno = 0

  /** @throws {TypeError | RangeError} settings */
  constructor(sink: FileWriter, options: TableWriterOptions) {
    this.#sink = sink
    this.#order = options.order
    this.#hash = options.hash
    this.#settings = resolveRowTableSettings(options.settings)
    this.#identity = fileIdentity(options.hash, sink.name)
    this.#output = new OutputQueue(sink)
    this.#encoder = new BlockEncoder(this.#settings.codec, options.lz4)
    this.#loneEntryBytes = Math.max(LONE_ENTRY_BYTES, this.#settings.blockBytes)
  }

  get entryCount(): number {
    return this.#entryCount
  }

  get bytes(): number {
    return this.#output.bytes
  }

  get pendingBytes(): number {
    return this.#output.pendingBytes
  }

  append(batch: EntryBatch, start: number, limit: number): void {
    this.#checkOpen()
    if (start >= limit) return
    const block = this.#block
    const { keys, keyStarts, valueLengths, seqnos, kinds } = batch
    const { blockBytes, filterBitsPerKey } = this.#settings
    const words = new DataView(keys.buffer, keys.byteOffset, keys.length)
    let taken = start
    for (let index = start; index < limit; index++) {
      const keyStart = keyStarts[index] as number
      const keyLimit = keyStarts[index + 1] as number
      const keyLength = keyLimit - keyStart
      const valueLength = valueLengths[index] as number
      const lone = keyLength + valueLength > blockBytes ? this.#loneAt(batch, index) : undefined
      const seqnoHere = lone === undefined ? (seqnos[index] as number) : lone.seqno
      let shared = 0
      let comparison = -1
      if (index > start) {
        const before = keyStarts[index - 1] as number
        shared = sharedInBatch(keys, words, before, keyStart, keyLimit)
        comparison = this.#compareAfter(shared, keys, before, keyStart, keys, keyStart, keyLimit)
      } else if (this.#entryCount > 0) {
        shared = sharedPrefixLength(this.#lastKey, 0, this.#lastKeyLength, keys, keyStart, keyLimit)
        comparison = this.#compareAfter(shared, this.#lastKey, 0, this.#lastKeyLength, keys, keyStart, keyLimit)
      }
      // Checked here because a table out of order is silent: its entries would just not be found.
      assert(comparison < 0 || (comparison === 0 && seqnoHere < this.#lastSeqno), 'entries are not in order')
      if (block.count > 0) {
        const isLone = keyLength + valueLength >= this.#loneEntryBytes
        if (isLone || !block.fits(keyLength, valueLength, seqnoHere, blockBytes)) {
          block.take(batch, taken, index)
          taken = index
          this.#endBlock()
        }
      }
      if (this.#index.lacksSeparator) {
        const last = index > start ? batch.keyAt(index - 1) : copyOf(this.#lastKey, 0, this.#lastKeyLength)
        this.#index.addSeparator(this.#order.bytewise ? shortSeparator(last, batch.keyAt(index)) : last)
      }
      if (keyLength + valueLength > ENTRY_BYTES_MAX) {
        block.take(batch, taken, index)
        refuse(keyLength + valueLength)
      }
      if (lone === undefined) {
        block.note(keyLength, valueLength, seqnoHere, shared)
      } else {
        this.#pushBlock(lone.stored, lone.blockBytes, false)
        taken = index + 1
      }
      if (comparison !== 0) {
        this.#keyCount++
        if (filterBitsPerKey > 0) this.#filter.add(hashKey(keys, keyStart, keyLimit, 0))
      }
      if (this.#entryCount === 0) this.#keyFirst = copyOf(keys, keyStart, keyLimit)
      this.#entryCount++
      if (kinds[index] === ENTRY_DELETE) this.#deleteCount++
      this.#keyBytes += keyLength
      this.#valueBytes += valueLength
      if (seqnoHere < this.#seqnoFirst) this.#seqnoFirst = seqnoHere
      if (seqnoHere > this.#seqnoLast) this.#seqnoLast = seqnoHere
      this.#lastSeqno = seqnoHere
    }
    if (taken < limit) block.take(batch, taken, limit)
    this.#keepLastKey(batch, limit - 1)
  }

  appendRange(fragment: RangeFragment): void {
    this.#checkOpen()
    const { lower, upper, seqnos } = fragment
    const before = this.#fragments.at(-1)
    assert(before === undefined || compareCuts(this.#order, before.upper, lower) <= 0, 'fragments are not in order')
    assert(compareCuts(this.#order, lower, upper) < 0, 'a fragment is empty')
    assert(seqnos.length > 0, 'a fragment has no seqno')
    this.#fragments.push(fragment)
    this.#rangeCount += seqnos.length
    this.#seqnoLast = Math.max(this.#seqnoLast, seqnos[0] as number)
    this.#seqnoFirst = Math.min(this.#seqnoFirst, seqnos.at(-1) as number)
  }

  async drain(): Promise<void> {
    this.#checkOpen()
    await this.#output.drain()
  }

  async finish(): Promise<TableSummary> {
    this.#checkOpen()
    const hasEntries = this.#entryCount > 0
    assert(hasEntries || this.#rangeCount > 0, 'a table needs an entry or a range tombstone')
    this.#state = 'finished'
    const keyLast = copyOf(this.#lastKey, 0, this.#lastKeyLength)
    if (hasEntries) {
      if (this.#block.count > 0) this.#endBlock()
      this.#index.addSeparator(keyLast)
    }
    const bitsPerKey = this.#settings.filterBitsPerKey
    const properties: RowProperties = Object.freeze({
      entryCount: this.#entryCount,
      deleteCount: this.#deleteCount,
      keyCount: this.#keyCount,
      keyBytes: this.#keyBytes,
      valueBytes: this.#valueBytes,
      rangeCount: this.#rangeCount,
      seqnoFirst: seqno(this.#seqnoFirst),
      seqnoLast: seqno(this.#seqnoLast),
      keyFirst: this.#keyFirst,
      keyLast,
      order: this.#order.name,
    })
    const footer = {
      ranges: this.#pushPart(PART_RANGES, encodeRanges(this.#fragments)),
      filter: this.#pushPart(
        PART_FILTER,
        hasEntries && bitsPerKey > 0 ? this.#filter.finish(bitsPerKey) : new Uint8Array(0),
      ),
      index: this.#pushPart(PART_INDEX, this.#index.finish(this.#identity, this.#settings.codec, this.#order.bytewise)),
      properties: this.#pushPart(PART_PROPERTIES, encodeProperties(properties)),
    }
    this.#output.push(encodeFooter(footer, this.#hash, this.#identity, this.#output.bytes), true)
    await this.#output.drain()
    const ref = await this.#sink.finish()
    return { ref, properties }
  }

  async abort(): Promise<void> {
    this.#state = 'aborted'
    this.#output.discard()
    await this.#sink.abort()
  }

  #endBlock(): void {
    const framed = this.#block.finish()
    const stored = this.#encoder.encode(framed)
    this.#pushBlock(stored, this.#block.blockBytes, stored === framed && !this.#block.reuses(framed))
  }

  #pushBlock(stored: Uint8Array, blockBytes: number, owned: boolean): void {
    const seed = partSeed(this.#identity, PART_BLOCK, this.#output.bytes)
    this.#index.addBlock(this.#hash.hash64(stored, seed), stored.length, blockBytes)
    this.#output.push(stored, owned)
  }

  /** Entry `index`, which no block has beside another, as it is stored: where this table would have it likewise. */
  #loneAt(batch: EntryBatch, index: number): LoneBlock | undefined {
    const form = batch.formAt(index)
    return form instanceof LoneBlock && form.codec === this.#settings.codec ? form : undefined
  }

  #pushPart(kind: number, bytes: Uint8Array): PartHandle {
    const offset = this.#output.bytes
    const checksum = this.#hash.hash64(bytes, partSeed(this.#identity, kind, offset))
    this.#output.push(bytes, true)
    return { offset, length: bytes.length, checksum }
  }

  /** Compares two keys that have `shared` leading bytes in common. */
  #compareAfter(
    shared: number,
    a: Uint8Array,
    aStart: number,
    aLimit: number,
    b: Uint8Array,
    bStart: number,
    bLimit: number,
  ): number {
    if (!this.#order.bytewise) return this.#order.compare(a, aStart, aLimit, b, bStart, bLimit)
    if (aStart + shared === aLimit || bStart + shared === bLimit) return aLimit - aStart - (bLimit - bStart)
    return (a[aStart + shared] as number) - (b[bStart + shared] as number)
  }

  #keepLastKey(batch: EntryBatch, index: number): void {
    const start = batch.keyStarts[index] as number
    const limit = batch.keyStarts[index + 1] as number
    if (limit - start > this.#lastKey.length) this.#lastKey = new Uint8Array((limit - start) * 2)
    this.#lastKey.set(batch.keys.subarray(start, limit))
    this.#lastKeyLength = limit - start
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the table ${this.#sink.name} is ${this.#state}`)
  }
}

function refuse(size: number): never {
  throw new VarveError('LIMIT_EXCEEDED', `an entry of ${size} bytes does not fit into a block`, {
    details: { what: 'entry', size, limit: ENTRY_BYTES_MAX },
  })
}
