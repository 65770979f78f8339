/**
 * The end of a row table.
 *
 *      0            8           32          56          80              104        112       116       120
 *      +------------+-----------+-----------+-----------+---------------+----------+---------+---------+----------+
 *      | identity   | ranges    | filter    | index     | properties    | checksum | version | check   | magic    |
 *      | u64        | handle    | handle    | handle    | handle        | u64      | u32     | u32     | 8 bytes  |
 *      +------------+-----------+-----------+-----------+---------------+----------+---------+---------+----------+
 *
 * A handle is offset u64, length u64, checksum u64. `checksum` covers everything before it, `check` (XXH32, seeded with
 * the identity) version and magic. The last 16 bytes are the same in every version, so that a newer file is told from a
 * damaged one.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import { PART_FOOTER, partSeed } from './file-identity.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export const ROW_FORMAT_VERSION = 2
/** The oldest that is still read. */
export const ROW_FORMAT_VERSION_FIRST = 1
export const FOOTER_BYTES = 128

/** In the order of the file. */
const PARTS = ['ranges', 'filter', 'index', 'properties'] as const
const HANDLES_AT = 8
const HANDLE_BYTES = 24
const CHECKSUM_AT = 104
const VERSION_AT = 112
const CHECK_AT = 116
const MAGIC_AT = 120
const MAGIC = new TextEncoder().encode('varverow')

/** Where a part of the file lies. Offsets and lengths in bytes. */
export interface PartHandle {
  readonly offset: number
  readonly length: number
  readonly checksum: bigint
}

export interface RowFooter {
  readonly ranges: PartHandle
  readonly filter: PartHandle
  readonly index: PartHandle
  readonly properties: PartHandle
}

export function encodeFooter(footer: RowFooter, hash: Hash, identity: bigint, offset: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, identity, true)
  for (const [number, name] of PARTS.entries()) writeHandle(view, HANDLES_AT + number * HANDLE_BYTES, footer[name])
  view.setBigUint64(CHECKSUM_AT, footerChecksum(bytes, hash, identity, offset), true)
  view.setUint32(VERSION_AT, ROW_FORMAT_VERSION, true)
  bytes.set(MAGIC, MAGIC_AT)
  view.setUint32(CHECK_AT, trailerCheck(bytes, hash, identity), true)
  return bytes
}

/**
 * @param bytes the last FOOTER_BYTES of the file
 * @param identity what the file must have been written as
 * @throws {VarveError} INCOMPATIBLE — whole, and of a newer version; TABLE_CORRUPT
 */
export function decodeFooter(bytes: Uint8Array, hash: Hash, identity: bigint, place: TablePlace): RowFooter {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FOOTER_BYTES)
  if (MAGIC.some((byte, index) => bytes[MAGIC_AT + index] !== byte)) throw tableCorrupt(place, 'no magic')
  if (view.getUint32(CHECK_AT, true) !== trailerCheck(bytes, hash, identity))
    throw tableCorrupt(place, 'trailer does not match its check')
  const version = view.getUint32(VERSION_AT, true)
  if (version < ROW_FORMAT_VERSION_FIRST || version > ROW_FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${place.file} has version ${version} of the row table format, this is version ${ROW_FORMAT_VERSION}`,
      {
        details: { what: 'row table format', file: place.file, found: version, expected: ROW_FORMAT_VERSION },
      },
    )
  }
  if (view.getBigUint64(CHECKSUM_AT, true) !== footerChecksum(bytes, hash, identity, place.offset))
    throw tableCorrupt(place, 'checksum does not match')
  if (view.getBigUint64(0, true) !== identity) throw tableCorrupt(place, 'belongs to another file')
  const handles = PARTS.map((_, number) => readHandle(view, HANDLES_AT + number * HANDLE_BYTES))
  // Parts lie back to back up to the footer, so that no byte is without a checksum.
  const adjoin = handles.every(({ offset, length }, number) => {
    return offset + length === (handles[number + 1]?.offset ?? place.offset)
  })
  if (!adjoin) throw tableCorrupt(place, 'parts do not adjoin')
  const [ranges, filter, index, properties] = handles as [PartHandle, PartHandle, PartHandle, PartHandle]
  return { ranges, filter, index, properties }
}

function writeHandle(view: DataView, at: number, handle: PartHandle): void {
  view.setBigUint64(at, BigInt(handle.offset), true)
  view.setBigUint64(at + 8, BigInt(handle.length), true)
  view.setBigUint64(at + 16, handle.checksum, true)
}

function readHandle(view: DataView, at: number): PartHandle {
  return {
    offset: Number(view.getBigUint64(at, true)),
    length: Number(view.getBigUint64(at + 8, true)),
    checksum: view.getBigUint64(at + 16, true),
  }
}

function footerChecksum(bytes: Uint8Array, hash: Hash, identity: bigint, offset: number): bigint {
  return hash.hash64(bytes.subarray(0, CHECKSUM_AT), partSeed(identity, PART_FOOTER, offset))
}

function trailerCheck(bytes: Uint8Array, hash: Hash, identity: bigint): number {
  const covered = new Uint8Array(FOOTER_BYTES - VERSION_AT - 4)
  covered.set(bytes.subarray(VERSION_AT, CHECK_AT))
  covered.set(bytes.subarray(MAGIC_AT, FOOTER_BYTES), CHECK_AT - VERSION_AT)
  return hash.hash32(covered, Number(BigInt.asUintN(32, identity)))
}
