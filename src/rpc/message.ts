/**
 * Plain data as bytes: MessagePack, between peers that have authenticated, and never in anything durable.
 *
 * A decoder takes memory for the lengths it reads, and nested lies about them end the process (msgpackr #199, #200). So
 * what arrives is walked first, without taking any: every length must be covered by bytes that are there, nesting is
 * bounded, and of the extensions only the one for `undefined` is known. After that the answer is at most some tens of
 * times as large as the message, whose length is bounded.
 */

import { Packr } from 'msgpackr/pack'
import { VarveError } from '../kernel/errors.ts'
import { CONTROL_BYTES_MAX } from './settings.ts'

// Deeper than any of our messages: the error of a job nests five deep.
const DEPTH_MAX = 32

export class MessageCodec {
  readonly #bytesMax: number
  // Without records: those are state of a connection, which a lost frame would put out of step.
  readonly #packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

  /** @param bytesMax of one message */
  constructor(bytesMax: number = CONTROL_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** @param value plain data: what is none is lost on the way. @throws {VarveError} LIMIT_EXCEEDED */
  encode(value: unknown): Uint8Array {
    const bytes = this.#packr.pack(value)
    if (bytes.length > this.#bytesMax) {
      throw new VarveError('LIMIT_EXCEEDED', `a message of ${bytes.length} bytes is over the limit`, {
        details: { what: 'message', size: bytes.length, limit: this.#bytesMax },
      })
    }
    // A Buffer's own `slice` is no copy: whoever gets the bytes would be in for a surprise.
    return new Uint8Array(bytes)
  }

  /** Undefined where it is no message. */
  decode(bytes: Uint8Array): { readonly value: unknown } | undefined {
    if (bytes.length === 0) return { value: undefined }
    if (bytes.length > this.#bytesMax || !isMessage(bytes)) return undefined
    try {
      return { value: withOwnBytes(this.#packr.unpack(bytes)) }
    } catch {
      return undefined
    }
  }
}

/** Byte strings come as Buffers, which share memory with others and whose `slice` is no copy. */
function withOwnBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) value[index] = withOwnBytes(each)
    return value
  }
  const record = value as Record<string, unknown>
  for (const name of Object.keys(record)) record[name] = withOwnBytes(record[name])
  return value
}

/** True for exactly one value, whose every part is there. */
export function isMessage(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new Walk(bytes, view).value(0) === bytes.length
}

/** Offsets just past what was walked; −1 where it is damaged. */
class Walk {
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes
    this.#view = view
  }

  value(at: number, depth = 0): number {
    if (depth > DEPTH_MAX || at >= this.#bytes.length) return -1
    const tag = this.#bytes[at] as number
    if (tag <= 0x7f || tag >= 0xe0) return at + 1
    if (tag <= 0x8f) return this.#items(at + 1, 2 * (tag & 0x0f), depth)
    if (tag <= 0x9f) return this.#items(at + 1, tag & 0x0f, depth)
    if (tag <= 0xbf) return this.#within(at + 1 + (tag & 0x1f))
    switch (tag) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return at + 1
      case 0xc4:
      case 0xd9:
        return this.#sized(at, 1)
      case 0xc5:
      case 0xda:
        return this.#sized(at, 2)
      case 0xc6:
      case 0xdb:
        return this.#sized(at, 4)
      case 0xcc:
      case 0xd0:
        return this.#within(at + 2)
      case 0xcd:
      case 0xd1:
        return this.#within(at + 3)
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#within(at + 5)
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#within(at + 9)
      case 0xd4:
        // `undefined`, as msgpackr writes it: an extension of type 0 with one byte.
        return at + 2 < this.#bytes.length && this.#bytes[at + 1] === 0 ? at + 3 : -1
      case 0xdc:
        return this.#items(at + 3, this.#length(at, 2), depth)
      case 0xdd:
        return this.#items(at + 5, this.#length(at, 4), depth)
      case 0xde:
        return this.#items(at + 3, 2 * this.#length(at, 2), depth)
      case 0xdf:
        return this.#items(at + 5, 2 * this.#length(at, 4), depth)
      default:
        return -1
    }
  }

  #items(start: number, count: number, depth: number): number {
    // Each takes a byte at the least.
    if (count < 0 || count > this.#bytes.length - start) return -1
    let at = start
    for (let left = count; left > 0 && at >= 0; left--) at = this.value(at, depth + 1)
    return at
  }

  #sized(at: number, width: 1 | 2 | 4): number {
    const length = this.#length(at, width)
    return length < 0 ? -1 : this.#within(at + 1 + width + length)
  }

  /** The length behind the tag; negative where it is not there. */
  #length(at: number, width: 1 | 2 | 4): number {
    if (at + 1 + width > this.#bytes.length) return -1
    if (width === 1) return this.#view.getUint8(at + 1)
    return width === 2 ? this.#view.getUint16(at + 1) : this.#view.getUint32(at + 1)
  }

  #within(end: number): number {
    return end <= this.#bytes.length ? end : -1
  }
}
