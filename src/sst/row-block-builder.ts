/**
 * Collects entries and packs them into one data block (the layout is drawn in packed-block.ts).
 *
 * The common prefix is known only at the end, so keys wait whole; values are copied once, into the area they are copied
 * out of in one piece. Everything is reused from block to block.
 */

import { assert } from '../kernel/assert.ts'
import { headOf } from '../kernel/bytes.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { writeVarint } from '../kernel/varint.ts'
import { writeU32 } from './columns.ts'
import {
  PACKED_KINDS_VARY,
  PACKED_KIND_SCALE,
  ROW_SEQNO_SPAN,
  lengthBytes,
  lengthCode,
  packedTagBytes,
  rowBlockBytes,
  rowTagBytes,
  writeLength,
} from './packed-shape.ts'
import { ROW_HEADER_BYTES } from './row-block.ts'

/** Of the packed block, which is in front of it. */
const LENGTH_BYTES = 4
/** Six varints and three bytes. */
const HEADER_BYTES_MAX = 6 * 8 + 3

// Below this a loop is faster than a view and `set`, which cost about 60 ns together.
const LOOP_BYTES_MAX = 40

interface Measures {
  readonly suffixMin: number
  readonly suffixMax: number
  readonly valueMin: number
  readonly valueMax: number
  readonly restBytes: number
}

export class RowBlockBuilder {
  /** Entries noted so far. */
  count = 0
  /** Bytes in memory of the block that was finished last. */
  blockBytes = 0
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
    if (Math.max(seqno, this.#seqnoLast) - Math.min(seqno, this.#seqnoFirst) >= ROW_SEQNO_SPAN) return false
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

  /**
   * The packed block behind its length (u32), in memory that is reused: valid until the next `finish`. Empties the builder.
   */
  finish(): Uint8Array {
    const count = this.count
    assert(count > 0, 'a block needs an entry')
    assert(count === this.#taken, 'entries were noted and not taken')
    const { suffixMin, suffixMax, valueMin, valueMax, restBytes } = this.#measure()
    const kind = this.#kinds[0] as number
    const kindsVary = this.#kinds.subarray(0, count).some((other) => other !== kind)
    const suffixCode = suffixMin === suffixMax ? 0 : lengthCode(suffixMax)
    const valueCode = valueMin === valueMax ? 0 : lengthCode(valueMax)
    const span = this.#seqnoLast - this.#seqnoFirst
    const tagBytes = packedTagBytes(kindsVary ? span * PACKED_KIND_SCALE + PACKED_KIND_SCALE - 1 : span)
    const contentBytes = this.#prefixLength + restBytes + this.#valueBytes
    const columnBytes = count * (lengthBytes(suffixCode) + lengthBytes(valueCode) + tagBytes + 4)
    this.blockBytes = rowBlockBytes(
      count,
      ROW_HEADER_BYTES + count * (4 + rowTagBytes(tagBytes, kindsVary)) + contentBytes,
    )
    const packed = this.#reserveBlock(LENGTH_BYTES + HEADER_BYTES_MAX + columnBytes + contentBytes)
    let at = writeVarint(packed, LENGTH_BYTES, count)
    at = writeVarint(packed, at, this.#prefixLength)
    at = writeVarint(packed, at, this.#seqnoFirst)
    packed[at++] = suffixCode | (valueCode << 2) | (kindsVary ? PACKED_KINDS_VARY : 0)
    packed[at++] = tagBytes
    if (suffixCode === 0) at = writeVarint(packed, at, suffixMax)
    if (valueCode === 0) at = writeVarint(packed, at, valueMax)
    if (!kindsVary) packed[at++] = kind
    at = this.#writeLengths(packed, at, suffixCode, valueCode)
    at = this.#writeTags(packed, at, tagBytes, kindsVary)
    at = this.#writeKeys(packed, at)
    packed.set(this.#values.subarray(0, this.#valueBytes), at)
    at += this.#valueBytes
    writeU32(packed, 0, at - LENGTH_BYTES)
    this.#empty()
    return packed.subarray(0, at)
  }

  #writeLengths(packed: Uint8Array, at: number, suffixCode: number, valueCode: number): number {
    const suffixBytes = lengthBytes(suffixCode)
    const valueBytes = lengthBytes(valueCode)
    const values = at + this.count * suffixBytes
    let valueStart = 0
    for (let index = 0; index < this.count; index++) {
      const suffix = (this.#keyStarts[index + 1] as number) - (this.#keyStarts[index] as number) - this.#prefixLength
      const valueLimit = this.#valueLimits[index] as number
      writeLength(packed, at + index * suffixBytes, suffixBytes, suffix)
      writeLength(packed, values + index * valueBytes, valueBytes, valueLimit - valueStart)
      valueStart = valueLimit
    }
    return values + this.count * valueBytes
  }

  #writeTags(packed: Uint8Array, at: number, tagBytes: number, kindsVary: boolean): number {
    const count = this.count
    if (tagBytes === 0) return at
    let before = 0
    for (let index = 0; index < count; index++) {
      const delta = (this.#seqnos[index] as number) - this.#seqnoFirst
      const tag = kindsVary ? delta * PACKED_KIND_SCALE + (this.#kinds[index] as number) : delta
      let [high, highBefore] = [tag, before]
      for (let plane = at + index; plane < at + count * tagBytes; plane += count) {
        packed[plane] = high - highBefore
        high = Math.floor(high / 256)
        highBefore = Math.floor(highBefore / 256)
      }
      before = tag
    }
    return at + count * tagBytes
  }

  /** Planes of heads, the prefix and the rests. */
  #writeKeys(packed: Uint8Array, at: number): number {
    const count = this.count
    const prefixLength = this.#prefixLength
    let rest = at + count * 4 + prefixLength
    copyBytes(this.#keys, 0, prefixLength, packed, at + count * 4)
    let before = 0
    for (let index = 0; index < count; index++, at++) {
      const start = (this.#keyStarts[index] as number) + prefixLength
      const limit = this.#keyStarts[index + 1] as number
      const head = headOf(this.#keys, start, limit)
      packed[at] = (head >>> 24) - (before >>> 24)
      packed[at + count] = (head >>> 16) - (before >>> 16)
      packed[at + count * 2] = (head >>> 8) - (before >>> 8)
      packed[at + count * 3] = head - before
      before = head
      if (limit - start <= 4) continue
      copyBytes(this.#keys, start + 4, limit - start - 4, packed, rest)
      rest += limit - start - 4
    }
    return rest
  }

  /** Whether `block`, which `finish` gave, is in memory that the next `finish` overwrites. */
  reuses(block: Uint8Array): boolean {
    return block.buffer === this.#block.buffer
  }

  #measure(): Measures {
    let [suffixMin, suffixMax, valueMin, valueMax, restBytes] = [Infinity, 0, Infinity, 0, 0]
    let valueStart = 0
    for (let index = 0; index < this.count; index++) {
      const suffix = (this.#keyStarts[index + 1] as number) - (this.#keyStarts[index] as number) - this.#prefixLength
      const valueLimit = this.#valueLimits[index] as number
      const value = valueLimit - valueStart
      valueStart = valueLimit
      if (suffix < suffixMin) suffixMin = suffix
      if (suffix > suffixMax) suffixMax = suffix
      if (value < valueMin) valueMin = value
      if (value > valueMax) valueMax = value
      if (suffix > 4) restBytes += suffix - 4
    }
    return { suffixMin, suffixMax, valueMin, valueMax, restBytes }
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
