/**
 * Sequential encoder and decoder of control structures: heads, edits, footers, specifications.
 *
 * Integers are varints or little-endian fixed words; byte strings and texts carry their length. The decoder never
 * allocates more than the bytes it was given, and reports damage through `fail`, which names the file.
 */

import { assert } from './assert.ts'
import { copyOf } from './bytes.ts'
import { isCode } from './errors.ts'
import { readVarint, varintLength, writeVarint } from './varint.ts'

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Writes fields one behind the other into memory of its own, which grows as needed. Writers return the encoder. */
export class Encoder {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** @param capacity bytes to begin with; default 256 */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** The low eight bits of `value`. */
  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** Little-endian, the low 32 bits of `value`. */
  u32(value: number): this {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
    return this
  }

  /** Little-endian, the low 64 bits of `value`. */
  u64(value: bigint): this {
    this.#reserve(8)
    this.#view.setBigUint64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** Every bit of a double, NaN and −0 included. */
  f64(value: number): this {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** 0 … 2^53 − 1. */
  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'varint out of range')
    this.#reserve(varintLength(value))
    this.#length = writeVarint(this.#bytes, this.#length, value)
    return this
  }

  /** Without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** With their length in front. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes)
  }

  /** In UTF-8, with its length in bytes in front. Half a surrogate pair is written as U+FFFD. */
  text(text: string): this {
    return this.bytes(textEncoder.encode(text))
  }

  /** A view of what was written, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return copyOf(this.#bytes, 0, this.#length)
  }

  /** Forgets what was written and keeps the memory for what comes. */
  clear(): void {
    this.#length = 0
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    assert(length <= this.#length, 'truncated to more than was written')
    this.#length = length
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what an `Encoder` wrote, field by field. What does not fit is damage: `fail` is called, and throws. */
export class Decoder {
  readonly #bytes: Uint8Array
  #view: DataView | undefined
  readonly #fail: (reason: string, at: number) => never
  readonly #cursor = { at: 0 }

  /** @param fail throws the error that names what was being decoded; `at` is the offset in `bytes` */
  constructor(bytes: Uint8Array, fail: (reason: string, at: number) => never) {
    this.#bytes = bytes
    this.#fail = fail
  }

  /** What is being decoded. */
  get source(): Uint8Array {
    return this.#bytes
  }

  /** Offset of the next field in `source`, in bytes. */
  get at(): number {
    return this.#cursor.at
  }

  /** Bytes that have not been read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#cursor.at
  }

  /** 0 … 255. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  /** 0 … 2^32 − 1, little-endian. */
  u32(): number {
    return this.#words().getUint32(this.#take(4), true)
  }

  /** 0 … 2^64 − 1, little-endian. */
  u64(): bigint {
    return this.#words().getBigUint64(this.#take(8), true)
  }

  /** Every bit of a double, little-endian. */
  f64(): number {
    return this.#words().getFloat64(this.#take(8), true)
  }

  /** 0 … 2^53 − 1. */
  varint(): number {
    const value = readVarint(this.#bytes, this.#cursor, this.#bytes.length)
    if (value < 0) this.fail('bad varint')
    return value
  }

  /** A count of items that take at least `bytesEach` bytes: what cannot fit is damage, found before anything is allocated. */
  count(bytesEach = 1): number {
    const count = this.varint()
    if (count * bytesEach > this.remaining) this.fail('count beyond the end')
    return count
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A view of a byte string with its length in front. */
  bytes(): Uint8Array {
    return this.raw(this.count())
  }

  /** Passes over a byte string with its length in front: it begins where this says, and ends at `at`. */
  skipBytes(): number {
    return this.#take(this.count())
  }

  /** A text in UTF-8 with its length in bytes in front. Other bytes are damage. */
  text(): string {
    const bytes = this.bytes()
    try {
      return textDecoder.decode(bytes)
    } catch {
      return this.fail('text is not UTF-8')
    }
  }

  /** What `parse` makes of a text: one that it refuses, such as a name that is none, is damage like any other here. */
  parsed<T>(parse: (text: string) => T): T {
    const text = this.text()
    try {
      return parse(text)
    } catch (error) {
      assert(isCode(error, 'LIMIT_EXCEEDED'), 'a text is refused for what it is, and for nothing else')
      return this.fail(error.message)
    }
  }

  /** Everything must have been read. */
  end(): void {
    if (this.remaining !== 0) this.fail('bytes left over')
  }

  /** Throws what the constructor's `fail` throws, for the place that has been reached. */
  fail(reason: string): never {
    return this.#fail(reason, this.#cursor.at)
  }

  /** Made when a fixed word is asked for: most of what is decoded has none. */
  #words(): DataView {
    return (this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength))
  }

  #take(length: number): number {
    const start = this.#cursor.at
    if (length > this.#bytes.length - start) this.fail('ends early')
    this.#cursor.at = start + length
    return start
  }
}
