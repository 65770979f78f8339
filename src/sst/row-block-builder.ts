/**
 * Collects entries and lays them out as one data block (the layout is drawn in row-block.ts).
 *
 * The common prefix is known only at the end, so keys wait whole; values are copied once, into the area they are copied
 * out of in one piece. Everything is reused from block to block.
 */

import { assert } from '../kernel/assert.ts'
import { headOf } from '../kernel/bytes.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { writeU32 } from './columns.ts'
import { ROW_HEADER_BYTES, ROW_TAG_BYTES_MAX, ROW_TAG_SCALE, ROW_WIDE_BYTES } from './row-block.ts'

/** Seqnos of one block span less than this: a tag has 53 bits, 7 of them for pad and kind. */
const SEQNO_SPAN = 2 ** 46

// Below this a loop is faster than a view and `set`, which cost about 60 ns together.
const LOOP_BYTES_MAX = 40

export class RowBlockBuilder {
  /** Entries noted so far. */
  count = 0
  #prefixLength = 0
  #keyBytes = 0
  #valueBytes = 0
  #seqnoFirst = 0
  #seqnoLast = 0
  /** Of the noted entries, those that have been taken. */
  #taken = 0
  #keys = new Uint8Array(4096)
  #keyStarts = new Uint32Array(257)
  #values = new Uint8Array(4096)
  #valueLimits = new Uint32Array(256)
  #seqnos = new Float64Array(256)
  #kinds = new Uint8Array(256)
  #block = new Uint8Array(8192)

  /** True when another entry leaves the block below about `blockBytes` and its seqnos close enough together. */
  fits(keyLength: number, valueLength: number, seqno: number, blockBytes: number): boolean {
    if (Math.max(seqno, this.#seqnoLast) - Math.min(seqno, this.#seqnoFirst) >= SEQNO_SPAN) return false
    // Four bytes of every key are in its head and its offsets take as much. Tags are assumed to have four bytes.
    const count = this.count
    const keyBytes = this.#keyBytes + keyLength - count * this.#prefixLength
    return ROW_HEADER_BYTES + 4 + (count + 1) * 8 + keyBytes + this.#valueBytes + valueLength <= blockBytes
  }

  /**
   * Counts an entry in; `take` brings its bytes before the block ends.
   *
   * @param shared bytes its key has in common with that of the entry before
   */
  note(keyLength: number, valueLength: number, seqno: number, shared: number): void {
    if (this.count === 0) {
      this.#prefixLength = keyLength
      this.#seqnoFirst = seqno
      this.#seqnoLast = seqno
    } else {
      if (shared < this.#prefixLength) this.#prefixLength = shared
      if (seqno < this.#seqnoFirst) this.#seqnoFirst = seqno
      if (seqno > this.#seqnoLast) this.#seqnoLast = seqno
    }
    this.#keyBytes += keyLength
    this.#valueBytes += valueLength
    this.count++
  }

  /** Copies entries [start, limit) of `batch`, the ones noted since the last call. */
  take(batch: EntryBatch, start: number, limit: number): void {
    const taken = this.#taken
    const total = taken + limit - start
    assert(total === this.count, 'entries were noted and not taken')
    if (total > this.#seqnos.length) this.#growColumns(total)
    const from = batch.keyStarts[start] as number
    const shift = (this.#keyStarts[taken] as number) - from
    if (this.#keyBytes > this.#keys.length) this.#keys = grown(this.#keys, from + shift, this.#keyBytes)
    this.#keys.set(batch.keys.subarray(from, batch.keyStarts[limit]), from + shift)
    this.#seqnos.set(batch.seqnos.subarray(start, limit), taken)
    this.#kinds.set(batch.kinds.subarray(start, limit), taken)
    const valuesTaken = taken === 0 ? 0 : (this.#valueLimits[taken - 1] as number)
    if (this.#valueBytes > this.#values.length) this.#values = grown(this.#values, valuesTaken, this.#valueBytes)
    let valueLimit = valuesTaken
    for (let index = start; index < limit; index++) {
      this.#keyStarts[taken + index - start + 1] = (batch.keyStarts[index + 1] as number) + shift
      valueLimit += batch.valueLengths[index] as number
      this.#valueLimits[taken + index - start] = valueLimit
    }
    this.#takeValues(batch, start, limit, valuesTaken)
    this.#taken = total
  }

  /** Values that lie back to back, as a block of another table has them, go over in one piece. */
  #takeValues(batch: EntryBatch, start: number, limit: number, at: number): void {
    const { valueBlocks, valueStarts, valueLengths } = batch
    for (let index = start; index < limit;) {
      const source = valueBlocks[index] as number
      const pieceStart = valueStarts[index] as number
      let pieceLimit = pieceStart + (valueLengths[index] as number)
      for (index++; index < limit && valueStarts[index] === pieceLimit && valueBlocks[index] === source; index++) {
        pieceLimit += valueLengths[index] as number
      }
      copyBytes(batch.blocks[source] as Uint8Array, pieceStart, pieceLimit - pieceStart, this.#values, at)
      at += pieceLimit - pieceStart
    }
  }

  /** The block, in memory that is reused: valid until the next `finish`. Empties the builder. */
  finish(): Uint8Array {
    const count = this.count
    assert(count > 0, 'a block needs an entry')
    assert(count === this.#taken, 'entries were noted and not taken')
    const prefixLength = this.#prefixLength
    const tagBytes = bytesOf((this.#seqnoLast - this.#seqnoFirst) * ROW_TAG_SCALE + (ROW_TAG_SCALE - 1))
    const restBytes = this.#restBytes()
    const fixedBytes = ROW_HEADER_BYTES + count * (4 + tagBytes) + prefixLength + restBytes + this.#valueBytes
    // Wide offsets themselves never bring a block below the limit that asks for them.
    const wide = fixedBytes + (count + 1) * 4 >= ROW_WIDE_BYTES
    const offsetBytes = wide ? 4 : 2
    const length = fixedBytes + (count + 1) * 2 * offsetBytes
    const block = this.#reserveBlock(length)
    writeU32(block, 0, count)
    writeU32(block, 4, prefixLength)
    writeU32(block, 8, this.#seqnoFirst >>> 0)
    writeU32(block, 12, Math.floor(this.#seqnoFirst / 0x1_0000_0000))
    writeU32(block, 16, tagBytes)
    const keyOffsets = ROW_HEADER_BYTES + count * 4
    const valueOffsets = keyOffsets + (count + 1) * offsetBytes
    const tags = valueOffsets + (count + 1) * offsetBytes
    const prefix = tags + count * tagBytes
    const keys = prefix + prefixLength
    copyBytes(this.#keys, 0, prefixLength, block, prefix)
    writeOffset(block, keyOffsets, 0, wide)
    writeOffset(block, valueOffsets, 0, wide)
    let restLimit = 0
    for (let index = 0; index < count; index++) {
      const start = (this.#keyStarts[index] as number) + prefixLength
      const limit = this.#keyStarts[index + 1] as number
      writeU32(block, ROW_HEADER_BYTES + index * 4, headOf(this.#keys, start, limit))
      if (limit - start > 4) {
        copyBytes(this.#keys, start + 4, limit - start - 4, block, keys + restLimit)
        restLimit += limit - start - 4
      }
      const pad = limit - start < 4 ? 4 - (limit - start) : 0
      const delta = (this.#seqnos[index] as number) - this.#seqnoFirst
      writeTag(
        block,
        tags + index * tagBytes,
        tagBytes,
        delta * ROW_TAG_SCALE + pad * 16 + (this.#kinds[index] as number),
      )
      writeOffset(block, keyOffsets + (index + 1) * offsetBytes, restLimit, wide)
      writeOffset(block, valueOffsets + (index + 1) * offsetBytes, this.#valueLimits[index] as number, wide)
    }
    assert(keys + restLimit + this.#valueBytes === length, 'block layout does not add up')
    block.set(this.#values.subarray(0, this.#valueBytes), keys + restLimit)
    this.#empty()
    return block.subarray(0, length)
  }

  /** Whether `block`, which `finish` gave, is in memory that the next `finish` overwrites. */
  reuses(block: Uint8Array): boolean {
    return block.buffer === this.#block.buffer
  }

  #restBytes(): number {
    let bytes = 0
    for (let index = 0; index < this.count; index++) {
      const rest = (this.#keyStarts[index + 1] as number) - (this.#keyStarts[index] as number) - this.#prefixLength - 4
      if (rest > 0) bytes += rest
    }
    return bytes
  }

  #empty(): void {
    this.count = 0
    this.#taken = 0
    this.#keyBytes = 0
    this.#valueBytes = 0
    // One huge entry must not cost its memory for the rest of the table.
    if (this.#values.length > KEEP_BYTES) this.#values = new Uint8Array(4096)
    if (this.#keys.length > KEEP_BYTES) this.#keys = new Uint8Array(4096)
  }

  #reserveBlock(length: number): Uint8Array {
    if (length > KEEP_BYTES) return new Uint8Array(length)
    if (length > this.#block.length) this.#block = new Uint8Array(Math.max(length, this.#block.length * 2))
    return this.#block
  }

  #growColumns(needed: number): void {
    const capacity = Math.max(needed, this.#seqnos.length * 2)
    const keyStarts = new Uint32Array(capacity + 1)
    keyStarts.set(this.#keyStarts)
    this.#keyStarts = keyStarts
    const valueLimits = new Uint32Array(capacity)
    valueLimits.set(this.#valueLimits)
    this.#valueLimits = valueLimits
    const seqnos = new Float64Array(capacity)
    seqnos.set(this.#seqnos)
    this.#seqnos = seqnos
    const kinds = new Uint8Array(capacity)
    kinds.set(this.#kinds)
    this.#kinds = kinds
  }
}

/** Blocks over this size are not built in reused memory. */
const KEEP_BYTES = 0x40_0000

function grown(bytes: Uint8Array, used: number, needed: number): Uint8Array<ArrayBuffer> {
  // Doubling a huge buffer would waste as much again: the entry that needs it is alone in its block.
  const larger = new Uint8Array(needed > KEEP_BYTES ? needed : Math.max(needed, bytes.length * 2))
  larger.set(bytes.subarray(0, used))
  return larger
}

function copyBytes(source: Uint8Array, start: number, length: number, target: Uint8Array, at: number): void {
  if (length > LOOP_BYTES_MAX) {
    target.set(source.subarray(start, start + length), at)
    return
  }
  for (let index = 0; index < length; index++) target[at + index] = source[start + index] as number
}

/** Bytes that `value` takes, at least 1. */
function bytesOf(value: number): number {
  let bytes = 1
  for (let limit = 256; value >= limit; limit *= 256) bytes++
  assert(bytes <= ROW_TAG_BYTES_MAX, 'seqnos of a block span too much')
  return bytes
}

function writeTag(bytes: Uint8Array, at: number, tagBytes: number, tag: number): void {
  if (tagBytes <= 4) {
    for (let byte = 0; byte < tagBytes; byte++) bytes[at + byte] = tag >>> (byte * 8)
    return
  }
  for (let byte = 0; byte < tagBytes; byte++) {
    bytes[at + byte] = tag % 256
    tag = Math.floor(tag / 256)
  }
}

function writeOffset(bytes: Uint8Array, at: number, offset: number, wide: boolean): void {
  bytes[at] = offset
  bytes[at + 1] = offset >>> 8
  if (!wide) return
  bytes[at + 2] = offset >>> 16
  bytes[at + 3] = offset >>> 24
}
