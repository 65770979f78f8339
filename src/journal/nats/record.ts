/**
 * What one message of a journal's stream holds.
 *
 *      0          4        5      6      8       16      24       32          40         48           52       56
 *      +----------+--------+------+------+-------+-------+--------+-----------+----------+------------+--------+---------+
 *      | checksum | format | kind | zero | epoch | owner | serial | confirmed | position | batchBytes | offset | payload |
 *      | u32      | u8     | u8   | u16  | u64   | u64   | u64    | u64       | u64      | u32        | u32    | bytes   |
 *      +----------+--------+------+------+-------+-------+--------+-----------+----------+------------+--------+---------+
 *
 * docs/formats/nats.md says what they mean together.
 */

import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { journalCorrupt } from '../journal-corrupt.ts'

/**
 * - `fence`: an owner begins, at `position`; only a stream whose last sequence it knew took it
 * - `batch`: payload from `offset` of the batch of `batchBytes` bytes at `position`
 * - `touch`: the owner was still the owner
 * - `knock`: somebody with this epoch wants to be the owner; says nothing about the log
 */
export type RecordKind = 'fence' | 'batch' | 'touch' | 'knock'

export interface LogRecord {
  readonly kind: RecordKind
  readonly epoch: number
  /** Which opening: 16 hexadecimal digits. */
  readonly owner: string
  /** Counts an owner's records, from 0 for its fence. One that follows another than its predecessor is void. */
  readonly serial: number
  /** Sequence of a record of this owner that it knew to be in its place: where to begin reading backwards. */
  readonly confirmed: number
  readonly position: number
  readonly batchBytes: number
  readonly offset: number
  readonly payload: Uint8Array
}

const RECORD_HEADER_BYTES = 56
const FORMAT = 1
const KINDS: readonly RecordKind[] = ['fence', 'batch', 'touch', 'knock']
const SEED_PREFIX = 'varve nats journal '

/** Encodes and decodes the records of one shard. */
export class RecordCodec {
  readonly #hash: Hash
  readonly #stream: string
  readonly #seed: number

  constructor(hash: Hash, shard: ShardId, stream: string) {
    this.#hash = hash
    this.#stream = stream
    this.#seed = hash.hash32(new TextEncoder().encode(SEED_PREFIX + shard), 0)
  }

  encode({ kind, epoch, owner, serial, confirmed, position, batchBytes, offset, payload }: LogRecord): Uint8Array {
    const bytes = new Uint8Array(RECORD_HEADER_BYTES + payload.length)
    const view = new DataView(bytes.buffer)
    view.setUint8(4, FORMAT)
    view.setUint8(5, KINDS.indexOf(kind))
    view.setBigUint64(8, BigInt(epoch), true)
    view.setBigUint64(16, BigInt(`0x${owner}`), true)
    view.setBigUint64(24, BigInt(serial), true)
    view.setBigUint64(32, BigInt(confirmed), true)
    view.setBigUint64(40, BigInt(position), true)
    view.setUint32(48, batchBytes, true)
    view.setUint32(52, offset, true)
    bytes.set(payload, RECORD_HEADER_BYTES)
    view.setUint32(0, this.#hash.hash32(bytes.subarray(4), this.#seed), true)
    return bytes
  }

  /**
   * @param sequence for the error
   * @returns with a view of `bytes` as payload; undefined: no record of this shard, or not any more
   * @throws {VarveError} JOURNAL_CORRUPT
   */
  decode(bytes: Uint8Array, sequence: number): LogRecord | undefined {
    const fail = (reason: string): never => {
      throw journalCorrupt(this.#stream, sequence, reason)
    }
    if (bytes.length < RECORD_HEADER_BYTES) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0, true) !== this.#hash.hash32(bytes.subarray(4), this.#seed)) return undefined
    if (view.getUint8(4) !== FORMAT) fail(`format ${view.getUint8(4)} is not known`)
    const record = {
      kind: KINDS[view.getUint8(5)] ?? fail('a record of another kind'),
      epoch: Number(view.getBigUint64(8, true)),
      owner: view.getBigUint64(16, true).toString(16).padStart(16, '0'),
      serial: Number(view.getBigUint64(24, true)),
      confirmed: Number(view.getBigUint64(32, true)),
      position: Number(view.getBigUint64(40, true)),
      batchBytes: view.getUint32(48, true),
      offset: view.getUint32(52, true),
      payload: bytes.subarray(RECORD_HEADER_BYTES),
    }
    const { epoch, serial, confirmed, position } = record
    if (![epoch, serial, confirmed, position].every(Number.isSafeInteger)) fail('a number out of range')
    if (record.offset + record.payload.length > record.batchBytes) fail('a fragment beyond the end of its batch')
    return record
  }
}
