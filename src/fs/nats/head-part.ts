/**
 * What one message of a head's stream holds: a head, or a part of one.
 *
 *      0          4        5      8        16      20      24           28
 *      +----------+--------+------+--------+-------+-------+------------+---------+
 *      | checksum | format | zero | writer | index | count | headBytes  | payload |
 *      | u32      | u8     | u24  | u64    | u32   | u32   | u32        | bytes   |
 *      +----------+--------+------+--------+-------+-------+------------+---------+
 *
 * A head is `count` messages, one after the other, of one writer, with the indexes 0 … count − 1.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'

export interface HeadPart {
  /** Which call of `compareAndSet`: 16 hexadecimal digits. */
  readonly writer: string
  readonly index: number
  readonly count: number
  readonly headBytes: number
  readonly payload: Uint8Array
}

export const PART_HEADER_BYTES = 28
const FORMAT = 1
const SEED_PREFIX = 'varve nats head '

export class HeadPartCodec {
  readonly #hash: Hash
  readonly #stream: string
  readonly #seed: number

  constructor(hash: Hash, shard: ShardId, stream: string) {
    this.#hash = hash
    this.#stream = stream
    this.#seed = hash.hash32(new TextEncoder().encode(SEED_PREFIX + shard), 0)
  }

  encode({ writer, index, count, headBytes, payload }: HeadPart): Uint8Array {
    const bytes = new Uint8Array(PART_HEADER_BYTES + payload.length)
    const view = new DataView(bytes.buffer)
    view.setUint8(4, FORMAT)
    view.setBigUint64(8, BigInt(`0x${writer}`), true)
    view.setUint32(16, index, true)
    view.setUint32(20, count, true)
    view.setUint32(24, headBytes, true)
    bytes.set(payload, PART_HEADER_BYTES)
    view.setUint32(0, this.#hash.hash32(bytes.subarray(4), this.#seed), true)
    return bytes
  }

  /**
   * @returns undefined: no part of a head of this shard, or not any more
   * @throws {VarveError} HEAD_CORRUPT
   */
  decode(bytes: Uint8Array, sequence: number): HeadPart | undefined {
    const fail = (reason: string): never => {
      throw this.damaged(sequence, reason)
    }
    if (bytes.length < PART_HEADER_BYTES) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0, true) !== this.#hash.hash32(bytes.subarray(4), this.#seed)) return undefined
    if (view.getUint8(4) !== FORMAT) fail(`format ${view.getUint8(4)} is not known`)
    const part = {
      writer: view.getBigUint64(8, true).toString(16).padStart(16, '0'),
      index: view.getUint32(16, true),
      count: view.getUint32(20, true),
      headBytes: view.getUint32(24, true),
      payload: bytes.subarray(PART_HEADER_BYTES),
    }
    if (part.index >= part.count) fail('a part beyond the last')
    return part
  }

  damaged(sequence: number, reason: string): VarveError {
    const file = `${this.#stream}/${sequence}`
    return new VarveError('HEAD_CORRUPT', `head ${file} is damaged: ${reason}`, { details: { file, reason } })
  }
}
