/**
 * The key column, version 1: what a row table has beside its values, for readers who want keys and sizes and not what is
 * in the values.
 *
 *      +---------+-----+---------+-------+----------+
 *      | block 0 | ... | block n | index | footer   |
 *      |         |     |         |       | 64 bytes |
 *      +---------+-----+---------+-------+----------+
 *
 *      block    count varint, kinds count × u8, value lengths count × varint, seqnos count × varint,
 *               keys count × { bytes shared with the key before varint, the rest as a byte string }
 *      index    blocks varint, { length varint, entries varint, checksum u64 }
 *      footer   magic u32 "VRKC", version u32, index offset u64, entries u64, key bytes u64, value bytes u64,
 *               checksum of the index u64, zero u64, checksum of the footer u64
 *
 * Spec: docs/formats/key-column.md.
 */

import { copyOf } from '../kernel/bytes.ts'
import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import { MIB } from '../kernel/limits.ts'
import { PART_BLOCK, PART_FOOTER, PART_INDEX, partSeed } from './file-identity.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePart } from './table-damage.ts'

/** As the manifest has it. */
export const KEY_COLUMN_FORMAT = Object.freeze({ name: 'key-column', version: 1 })
export const KEY_COLUMN_FOOTER_BYTES = 64
const MAGIC = 0x434b5256

// A key may share all of a long one with that before, in a few bytes: writers end a block before its keys, put together,
// are more than this many times its own bytes, and so much besides.
const KEY_BYTES_TIMES_MAX = 8
const KEY_BYTES_BASE = 1 * MIB

/** What a column's footer says. Whole numbers. */
export interface KeyColumnSummary {
  /** Entries of all blocks: versions and deletions included. */
  readonly entryCount: number
  /** Key bytes of all entries, as given. */
  readonly keyBytes: number
  /** Lengths of all values, added up, in bytes. */
  readonly valueBytes: number
}

/** Where one block lies, and what must be found there. */
export interface KeyColumnPlace {
  /** In the file, in bytes. */
  readonly offset: number
  /** As it is stored, in bytes. */
  readonly length: number
  /** Entries of the block. */
  readonly entryCount: number
  /** XXH64 of the stored bytes. */
  readonly checksum: bigint
}

/** Entries of one block, in key order, newest first within a key. */
export interface KeyColumnBlock {
  /** Entries; the arrays have one element each, where nothing else is said. */
  readonly count: number
  /** Back to back: key i is [keyStarts[i], keyStarts[i + 1]). */
  readonly keys: Uint8Array
  /** `count` + 1 offsets into `keys`. */
  readonly keyStarts: Uint32Array
  /** In bytes; 0 for deletions. */
  readonly valueLengths: Uint32Array
  /** Integers below 2^53. */
  readonly seqnos: Float64Array
  /** See kernel/entry.ts. */
  readonly kinds: Uint8Array
}

interface KeyColumnFooter extends KeyColumnSummary {
  readonly indexOffset: number
  readonly indexChecksum: bigint
}

export function encodeKeyColumnIndex(blocks: readonly KeyColumnPlace[]): Uint8Array {
  const encoder = new Encoder().varint(blocks.length)
  for (const { length, entryCount, checksum } of blocks) encoder.varint(length).varint(entryCount).u64(checksum)
  return encoder.finish()
}

/** @throws {VarveError} TABLE_CORRUPT */
export function decodeKeyColumnIndex(
  bytes: Uint8Array,
  footer: KeyColumnFooter,
  file: string,
  identity: bigint,
  hash: Hash,
): readonly KeyColumnPlace[] {
  const decoder = checkedDecoder(bytes, footer.indexChecksum, 'index', footer.indexOffset, file, identity, hash)
  let offset = 0
  let entries = 0
  const blocks = Array.from({ length: decoder.count(10) }, () => {
    const place = { offset, length: decoder.varint(), entryCount: decoder.varint(), checksum: decoder.u64() }
    offset += place.length
    entries += place.entryCount
    return place
  })
  decoder.end()
  if (offset !== footer.indexOffset) decoder.fail('blocks do not fill their area')
  if (entries !== footer.entryCount) decoder.fail('blocks have another number of entries than the footer says')
  return blocks
}

export function encodeKeyColumnFooter(
  { entryCount, keyBytes, valueBytes, indexOffset, indexChecksum }: KeyColumnFooter,
  identity: bigint,
  hash: Hash,
  offset: number,
): Uint8Array {
  const encoder = new Encoder().u32(MAGIC).u32(KEY_COLUMN_FORMAT.version)
  for (const number of [indexOffset, entryCount, keyBytes, valueBytes]) encoder.u64(BigInt(number))
  encoder.u64(indexChecksum).u64(0n)
  return encoder.u64(hash.hash64(encoder.view(), partSeed(identity, PART_FOOTER, offset))).finish()
}

/** @throws {VarveError} TABLE_CORRUPT, INCOMPATIBLE */
export function decodeKeyColumnFooter(
  bytes: Uint8Array,
  file: string,
  identity: bigint,
  hash: Hash,
  offset: number,
): KeyColumnFooter {
  const place = { file, part: 'footer', offset } as const
  const decoder = new Decoder(bytes, (reason) => {
    throw tableCorrupt(place, reason)
  })
  if (bytes.length !== KEY_COLUMN_FOOTER_BYTES) decoder.fail('shorter than a footer')
  const content = bytes.subarray(0, KEY_COLUMN_FOOTER_BYTES - 8)
  const magic = decoder.u32()
  const version = decoder.u32()
  const numbers = Array.from({ length: 4 }, () => decoder.u64())
  const [indexOffset = 0, entryCount = 0, keyBytes = 0, valueBytes = 0] = numbers.map(Number)
  const indexChecksum = decoder.u64()
  const zero = decoder.u64()
  if (decoder.u64() !== hash.hash64(content, partSeed(identity, PART_FOOTER, offset))) {
    throw tableCorrupt(place, 'checksum does not match')
  }
  if (magic !== MAGIC) decoder.fail('not a key column')
  if (version !== KEY_COLUMN_FORMAT.version) {
    throw new VarveError('INCOMPATIBLE', `key column ${file} has version ${version}`, {
      details: { what: 'key column', found: version, expected: KEY_COLUMN_FORMAT.version },
    })
  }
  if (zero !== 0n || numbers.some((number) => number > BigInt(Number.MAX_SAFE_INTEGER)))
    decoder.fail('impossible number')
  if (indexOffset > offset) decoder.fail('the index begins after the footer')
  return { entryCount, keyBytes, valueBytes, indexOffset, indexChecksum }
}

/** @throws {VarveError} TABLE_CORRUPT */
export function decodeKeyColumnBlock(
  bytes: Uint8Array,
  { offset, entryCount, checksum }: KeyColumnPlace,
  file: string,
  identity: bigint,
  hash: Hash,
): KeyColumnBlock {
  const decoder = checkedDecoder(bytes, checksum, 'block', offset, file, identity, hash)
  // A kind, a length, a seqno, and two lengths of a key.
  const count = decoder.count(5)
  if (count !== entryCount) decoder.fail('another number of entries than the index says')
  const kinds = copyOf(decoder.raw(count))
  const valueLengths = Uint32Array.from({ length: count }, () => decoder.varint())
  const seqnos = Float64Array.from({ length: count }, () => decoder.varint())
  const keyStarts = new Uint32Array(count + 1)
  let keys = new Uint8Array(bytes.length * 2)
  for (let index = 0, before = 0; index < count; index++) {
    const start = keyStarts[index] as number
    const shared = decoder.varint()
    const rest = decoder.bytes()
    if (shared > start - before) decoder.fail('a key shares more than the one before has')
    const limit = start + shared + rest.length
    if (limit > bytes.length * KEY_BYTES_TIMES_MAX + KEY_BYTES_BASE)
      decoder.fail('keys share more than a writer lets them')
    if (limit > keys.length) {
      const grown = new Uint8Array(limit * 2)
      grown.set(keys.subarray(0, start))
      keys = grown
    }
    keys.copyWithin(start, before, before + shared)
    keys.set(rest, start + shared)
    keyStarts[index + 1] = limit
    before = start
  }
  decoder.end()
  return { count, keys, keyStarts, valueLengths, seqnos, kinds }
}

function checkedDecoder(
  bytes: Uint8Array,
  checksum: bigint,
  part: TablePart & ('index' | 'block'),
  offset: number,
  file: string,
  identity: bigint,
  hash: Hash,
): Decoder {
  const place = { file, part, offset }
  const seed = partSeed(identity, part === 'index' ? PART_INDEX : PART_BLOCK, offset)
  if (hash.hash64(bytes, seed) !== checksum) throw tableCorrupt(place, 'checksum does not match')
  return new Decoder(bytes, (reason) => {
    throw tableCorrupt(place, reason)
  })
}
