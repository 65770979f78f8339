/**
 * What a slot of the cache holds, as a record of the index.
 *
 *      0       4        8           16       24      32       36       40          48     176    248        256
 *      +-------+--------+-----------+--------+-------+--------+--------+-----------+------+------+----------+
 *      | magic | format | file      | file   | chunk | length | name   | chunk     | name | zero | checksum |
 *      |       |        | checksum  | bytes  |       |        | length | checksum  |      |      |          |
 *      | u32   | u32    | u64       | f64    | f64   | u32    | u32    | u64       |      |      | u64      |
 *      +-------+--------+-----------+--------+-------+--------+--------+-----------+------+------+----------+
 *
 * `checksum` is XXH64 of the 248 bytes before it, seeded with the slot's number. Record 0 is the header: it says how large
 * chunks are, and stands before the records of slots 0, 1, ….
 *
 * Spec: docs/formats/disk-cache.md.
 */

import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'

export const RECORD_BYTES = 256
const MAGIC_HEADER = 0x4843_4456 // 'VDCH', read as a little-endian u32
const MAGIC_SLOT = 0x5343_4456 // 'VDCS'
const FORMAT_VERSION = 1
const NAME_AT = 48
const CHECKSUM_AT = 248
const HEADER_SEED = 0xffff_ffff_ffff_ffffn

const TEXT = new TextEncoder()

/** Which bytes of which file a slot has. */
export interface SlotContent {
  /** The file. */
  readonly ref: FileRef
  /** Which part of the file: from byte `chunk` × chunkBytes on. */
  readonly chunk: number
  /** Less than a chunk only at the end of the file. */
  readonly length: number
  /** XXH64 of the bytes, seeded with `chunkSeed`. */
  readonly checksum: bigint
}

/** Seed of a chunk's checksum: bytes of another place are damaged bytes. */
export function chunkSeed(name: string, chunk: number, hash: Hash): bigint {
  return hash.hash64(TEXT.encode(`${name}/${chunk}`), 0n)
}

export function encodeHeader(chunkBytes: number, hash: Hash): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC_HEADER, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(8, chunkBytes, true)
  view.setBigUint64(CHECKSUM_AT, hash.hash64(bytes.subarray(0, CHECKSUM_AT), HEADER_SEED), true)
  return bytes
}

/** undefined: it is no header, a damaged one, or one of another format. */
export function decodeHeader(bytes: Uint8Array, hash: Hash): { readonly chunkBytes: number } | undefined {
  const view = checked(bytes, MAGIC_HEADER, HEADER_SEED, hash)
  return view === undefined ? undefined : { chunkBytes: view.getUint32(8, true) }
}

export function encodeSlot(slot: number, { ref, chunk, length, checksum }: SlotContent, hash: Hash): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES)
  const view = new DataView(bytes.buffer)
  const name = TEXT.encode(ref.name)
  view.setUint32(0, MAGIC_SLOT, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setBigUint64(8, BigInt(`0x${ref.checksum}`), true)
  view.setFloat64(16, ref.bytes, true)
  view.setFloat64(24, chunk, true)
  view.setUint32(32, length, true)
  view.setUint32(36, name.length, true)
  view.setBigUint64(40, checksum, true)
  bytes.set(name, NAME_AT)
  view.setBigUint64(CHECKSUM_AT, hash.hash64(bytes.subarray(0, CHECKSUM_AT), BigInt(slot)), true)
  return bytes
}

/** undefined: an empty slot, a damaged record, or one of another format. */
export function decodeSlot(slot: number, bytes: Uint8Array, chunkBytes: number, hash: Hash): SlotContent | undefined {
  const view = checked(bytes, MAGIC_SLOT, BigInt(slot), hash)
  if (view === undefined) return undefined
  const nameBytes = view.getUint32(36, true)
  if (nameBytes > LIMITS.fileNameLengthMax) return undefined
  const name = new TextDecoder().decode(bytes.subarray(NAME_AT, NAME_AT + nameBytes))
  const [fileBytes, chunk, length] = [view.getFloat64(16, true), view.getFloat64(24, true), view.getUint32(32, true)]
  if (length !== Math.min(chunkBytes, fileBytes - chunk * chunkBytes)) return undefined
  try {
    const ref = { name: fileName(name), bytes: fileBytes, checksum: formatHash64(view.getBigUint64(8, true)) }
    return { ref, chunk, length, checksum: view.getBigUint64(40, true) }
  } catch {
    return undefined
  }
}

function checked(bytes: Uint8Array, magic: number, seed: bigint, hash: Hash): DataView | undefined {
  if (bytes.length !== RECORD_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES)
  if (view.getUint32(0, true) !== magic) return undefined
  if (view.getBigUint64(CHECKSUM_AT, true) !== hash.hash64(bytes.subarray(0, CHECKSUM_AT), seed)) return undefined
  return view.getUint32(4, true) === FORMAT_VERSION ? view : undefined
}
