/**
 * What a reader of a row table has in memory while it is open: range tombstones, index, filter, properties.
 *
 * All of it lies at the end of the file and is read in one piece where a guess of its length is right.
 */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { FragmentList } from '../kernel/fragment-list.ts'
import type { Hash } from '../kernel/hash.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { KIB } from '../kernel/limits.ts'
import { alignedBytes } from './columns.ts'
import { PART_FILTER, PART_INDEX, PART_PROPERTIES, PART_RANGES, fileIdentity, partSeed } from './file-identity.ts'
import { FOOTER_BYTES, decodeFooter } from './row-footer.ts'
import type { PartHandle, RowFooter } from './row-footer.ts'
import { RowFilter } from './row-filter.ts'
import { RowIndex } from './row-index.ts'
import { decodeProperties } from './row-properties.ts'
import type { RowProperties } from './row-properties.ts'
import { decodeRanges } from './row-ranges.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePart, TablePlace } from './table-damage.ts'

// Index and filter of small entries are about 3% of the file.
const META_SHARE = 1 / 32
const META_BYTES_MIN = 8 * KIB
// Objects of one fragment, beside its bytes: about what the heap grows by.
const FRAGMENT_BYTES = 400

export class RowMeta {
  readonly rangeTombstones: FragmentList
  readonly index: RowIndex
  /** Undefined where the table has none, or a damaged one: then every lookup goes to a block. */
  readonly filter: RowFilter | undefined
  readonly properties: RowProperties
  /** Memory taken, in bytes: pinned in the cache's budget. */
  readonly memoryBytes: number

  /**
   * @param tail the end of the file, from `footer.ranges.offset` at the latest
   * @throws {VarveError} TABLE_CORRUPT — not for a damaged filter, which only costs time; INCOMPATIBLE — another key order
   */
  constructor(tail: Uint8Array, footer: RowFooter, ref: FileRef, hash: Hash, order: KeyOrder) {
    const identity = fileIdentity(hash, ref.name)
    const tailStart = ref.bytes - tail.length
    const part = (handle: PartHandle): Uint8Array =>
      tail.subarray(handle.offset - tailStart, handle.offset - tailStart + handle.length)
    const checked = (name: TablePart, kind: number, handle: PartHandle): Uint8Array => {
      const bytes = part(handle)
      if (!isPartWhole(bytes, handle, kind, identity, hash)) {
        throw tableCorrupt({ file: ref.name, part: name, offset: handle.offset }, 'checksum does not match')
      }
      return bytes
    }
    const propertiesPlace = { file: ref.name, part: 'properties', offset: footer.properties.offset } as const
    this.properties = decodeProperties(checked('properties', PART_PROPERTIES, footer.properties), propertiesPlace)
    if (this.properties.order !== order.name) {
      throw new VarveError(
        'INCOMPATIBLE',
        `${ref.name} is in key order ${JSON.stringify(this.properties.order)}, not ${JSON.stringify(order.name)}`,
        {
          details: { what: 'key order', file: ref.name, found: this.properties.order, expected: order.name },
        },
      )
    }
    const rangesPlace = { file: ref.name, part: 'ranges', offset: footer.ranges.offset } as const
    this.rangeTombstones = decodeRanges(checked('ranges', PART_RANGES, footer.ranges), order, rangesPlace)
    if (this.rangeTombstones.count !== this.properties.rangeCount)
      throw tableCorrupt(rangesPlace, 'not as many as the properties say')
    const indexPlace = { file: ref.name, part: 'index', offset: footer.index.offset } as const
    const indexBytes = alignedBytes(checked('index', PART_INDEX, footer.index), false)
    this.index = new RowIndex(indexBytes, footer.ranges.offset, order, indexPlace)
    this.filter = wholeFilter(part(footer.filter), footer.filter, identity, hash, ref)
    this.memoryBytes =
      this.index.memoryBytes +
      footer.ranges.length +
      this.rangeTombstones.fragments.length * FRAGMENT_BYTES +
      (this.filter === undefined ? 0 : footer.filter.length) +
      this.properties.keyFirst.length +
      this.properties.keyLast.length +
      // Slots of the reader, one reference per block.
      this.index.blockCount * 8
    Object.freeze(this)
  }
}

export function isPartWhole(
  bytes: Uint8Array,
  handle: PartHandle,
  kind: number,
  identity: bigint,
  hash: Hash,
): boolean {
  return hash.hash64(bytes, partSeed(identity, kind, handle.offset)) === handle.checksum
}

/** Checks and decodes a filter. @throws {VarveError} TABLE_CORRUPT */
export function checkedFilter(
  bytes: Uint8Array,
  handle: PartHandle,
  identity: bigint,
  hash: Hash,
  ref: FileRef,
): RowFilter {
  const place = { file: ref.name, part: 'filter', offset: handle.offset } as const
  if (!isPartWhole(bytes, handle, PART_FILTER, identity, hash)) throw tableCorrupt(place, 'checksum does not match')
  return new RowFilter(alignedBytes(bytes, false), place)
}

function wholeFilter(
  bytes: Uint8Array,
  handle: PartHandle,
  identity: bigint,
  hash: Hash,
  ref: FileRef,
): RowFilter | undefined {
  if (handle.length === 0) return undefined
  try {
    return checkedFilter(bytes, handle, identity, hash, ref)
  } catch {
    // A filter saves reads and knows nothing else: without it answers are the same. `verify` reports it.
    return undefined
  }
}

/** How much of the end of a file to read first. */
export function tailGuess(fileBytes: number): number {
  return Math.min(fileBytes, Math.max(META_BYTES_MIN, Math.ceil(fileBytes * META_SHARE)))
}

/** The footer in the last bytes of a file. @throws {VarveError} TABLE_CORRUPT, INCOMPATIBLE */
export function footerOf(tail: Uint8Array, ref: FileRef, hash: Hash): RowFooter {
  const place: TablePlace = { file: ref.name, part: 'footer', offset: Math.max(0, ref.bytes - FOOTER_BYTES) }
  if (tail.length < FOOTER_BYTES) throw tableCorrupt(place, 'file is shorter than a footer')
  return decodeFooter(tail.subarray(tail.length - FOOTER_BYTES), hash, fileIdentity(hash, ref.name), place)
}
