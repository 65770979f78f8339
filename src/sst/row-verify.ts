/**
 * Verification of a row table: every byte, and on request every promise the format makes about its entries.
 *
 * Reads the file, never the cache; holds one piece of it at a time, plus index and filter.
 */

import { EntryBatch } from '../kernel/entry-batch.ts'
import { throwIfAborted } from '../kernel/errors.ts'
import { hashKey, formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { KIB } from '../kernel/limits.ts'
import { ENTRY_DELETE } from '../kernel/entry.ts'
import type { FileReader } from '../fs/fs.ts'
import { fileIdentity } from './file-identity.ts'
import type { RowBlock } from './row-block.ts'
import { copyEntries } from './row-block-copy.ts'
import { decodeBlock } from './row-block-decode.ts'
import { FOOTER_BYTES } from './row-footer.ts'
import { RowMeta, checkedFilter, footerOf } from './row-meta.ts'
import type { RowFilter } from './row-filter.ts'
import { readAheadSpan } from './row-span.ts'
import { tableCorrupt } from './table-damage.ts'

// A few dozen blocks: short enough to give way to others between reads.
const PIECE_BYTES = 256 * KIB

/** @throws {VarveError} TABLE_CORRUPT, INCOMPATIBLE, FILE_MISSING, ABORTED */
export async function verifyRowTable(
  file: FileReader,
  level: 'bytes' | 'structure',
  hash: Hash,
  order: KeyOrder,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal)
  const ref = file.ref
  const options = signal === undefined ? {} : { signal }
  const footerBytes = Math.min(ref.bytes, FOOTER_BYTES)
  const footer = footerOf(await file.read(ref.bytes - footerBytes, footerBytes, options), ref, hash)
  const tail = await file.read(footer.ranges.offset, ref.bytes - footer.ranges.offset, options)
  // The tail has been read twice; should the file change in between, the second reading counts.
  const meta = new RowMeta(tail, footerOf(tail, ref, hash), ref, hash, order)
  const index = meta.index
  const filterStart = footer.filter.offset - footer.ranges.offset
  const filterBytes = tail.subarray(filterStart, filterStart + footer.filter.length)
  const filter =
    footer.filter.length === 0
      ? undefined
      : checkedFilter(filterBytes, footer.filter, fileIdentity(hash, ref.name), hash, ref)
  const content = hash.stream64(0n)
  const structure = level === 'structure' ? new StructureCheck(ref.name, meta, filter, order) : undefined
  const owner = { ref, evicted: (): void => undefined }
  for (let next = 0; next < index.blockCount;) {
    throwIfAborted(signal)
    const { first, limit } = readAheadSpan(index, next, index.blockCount - 1, 1, PIECE_BYTES)
    const base = index.offsets[first] as number
    const bytes = await file.read(base, (index.offsets[limit] as number) - base, options)
    content.update(bytes)
    for (let number = first; number < limit; number++) {
      const stored = bytes.subarray(
        (index.offsets[number] as number) - base,
        (index.offsets[number + 1] as number) - base,
      )
      // Decoding checks the checksum and that everything is inside the block; the entries are the next level's concern.
      const block = decodeBlock(index, number, stored, owner, hash)
      structure?.visit(block, number)
    }
    next = limit
  }
  structure?.finish()
  content.update(tail)
  if (formatHash64(content.digest()) !== ref.checksum) {
    throw tableCorrupt(
      { file: ref.name, part: 'file', offset: 0 },
      'checksum of the whole file does not match its reference',
    )
  }
}

/** Walks all entries in order and compares them with what index, filter and properties say. */
class StructureCheck {
  readonly #file: string
  readonly #meta: RowMeta
  readonly #filter: RowFilter | undefined
  readonly #order: KeyOrder
  readonly #batch = new EntryBatch(1)
  #lastKey: Uint8Array | undefined = undefined
  #lastSeqno = 0
  #entryCount = 0
  #deleteCount = 0
  #keyCount = 0
  #keyBytes = 0
  #valueBytes = 0
  #seqnoFirst = Number.MAX_SAFE_INTEGER
  #seqnoLast = 0

  constructor(file: string, meta: RowMeta, filter: RowFilter | undefined, order: KeyOrder) {
    this.#file = file
    this.#meta = meta
    this.#filter = filter
    this.#order = order
  }

  visit(block: RowBlock, number: number): void {
    const index = this.#meta.index
    const offset = index.offsets[number] as number
    const batch = this.#batch
    for (let at = 0; at < block.count; at++) {
      const rest = block.keyLengthAt(at) - block.prefixLength
      const pad = block.padAt(at)
      if (pad !== Math.max(0, 4 - rest)) this.#fail('block', offset, 'pad does not match the key')
      batch.clear()
      copyEntries(block, at, 1, 1, batch)
      const key = batch.keyAt(0)
      const seqno = batch.seqnos[0] as number
      if (pad > 0 && pad <= 4 && (block.headAt(at) & (2 ** (pad * 8) - 1)) !== 0) {
        this.#fail('block', offset, 'padding of a head is not zero')
      }
      if (batch.kinds[0] === 0) this.#fail('block', offset, 'entry of kind 0')
      this.#checkOrder(key, seqno, offset)
      if (number > 0 && at === 0) this.#checkSeparatorBefore(number, key)
      if (this.#filter !== undefined && !this.#filter.mayContain(hashKey(key, 0, key.length, 0))) {
        this.#fail('filter', index.offsets[index.blockCount] as number, 'denies a key of the table')
      }
      this.#entryCount++
      if (batch.kinds[0] === ENTRY_DELETE) this.#deleteCount++
      this.#keyBytes += key.length
      this.#valueBytes += batch.valueLengths[0] as number
      this.#seqnoFirst = Math.min(this.#seqnoFirst, seqno)
      this.#seqnoLast = Math.max(this.#seqnoLast, seqno)
      this.#lastKey = key
      this.#lastSeqno = seqno
    }
    const separator = index.separatorAt(number)
    if (this.#compare(this.#lastKey as Uint8Array, separator) > 0)
      this.#fail('index', 0, 'a separator is before the last key of its block')
  }

  finish(): void {
    const { properties, rangeTombstones } = this.#meta
    // That fragments are in order was seen when they were decoded.
    for (const { seqnos } of rangeTombstones.fragments) {
      this.#seqnoLast = Math.max(this.#seqnoLast, seqnos[0] as number)
      this.#seqnoFirst = Math.min(this.#seqnoFirst, seqnos.at(-1) as number)
    }
    const counted =
      properties.entryCount === this.#entryCount &&
      properties.deleteCount === this.#deleteCount &&
      properties.keyCount === this.#keyCount &&
      properties.keyBytes === this.#keyBytes &&
      properties.valueBytes === this.#valueBytes &&
      properties.seqnoFirst === this.#seqnoFirst &&
      properties.seqnoLast === this.#seqnoLast
    if (!counted) this.#fail('properties', 0, 'do not match the entries')
    if (this.#lastKey === undefined) {
      if (properties.keyFirst.length + properties.keyLast.length > 0)
        this.#fail('properties', 0, 'name a key where there is no entry')
    } else if (this.#compare(this.#lastKey, properties.keyLast) !== 0) {
      this.#fail('properties', 0, 'name another last key')
    }
  }

  #checkOrder(key: Uint8Array, seqno: number, offset: number): void {
    const lastKey = this.#lastKey
    if (lastKey === undefined) {
      if (this.#compare(key, this.#meta.properties.keyFirst) !== 0)
        this.#fail('properties', 0, 'name another first key')
      this.#keyCount++
      return
    }
    const comparison = this.#compare(lastKey, key)
    if (comparison > 0) this.#fail('block', offset, 'keys do not ascend')
    if (comparison === 0 && seqno >= this.#lastSeqno)
      this.#fail('block', offset, 'versions of a key are not newest first')
    if (comparison < 0) this.#keyCount++
  }

  /** Between two blocks lies their separator, at or after the last key and before the first, unless both are one key. */
  #checkSeparatorBefore(number: number, key: Uint8Array): void {
    const separator = this.#meta.index.separatorAt(number - 1)
    const comparison = this.#compare(separator, key)
    const isSplitKey = comparison === 0 && this.#compare(this.#lastKey as Uint8Array, key) === 0
    if (comparison >= 0 && !isSplitKey) this.#fail('index', 0, 'a separator is not before the next block')
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    return this.#order.compare(a, 0, a.length, b, 0, b.length)
  }

  #fail(part: 'block' | 'index' | 'filter' | 'properties', offset: number, reason: string): never {
    throw tableCorrupt({ file: this.#file, part, offset }, reason)
  }
}
