/**
 * A row table as it lies in its file, for tools: each part by itself, so that damage to one hides no other.
 *
 * Reads the file, never the cache. Format: docs/formats/row-table.md.
 */

import { EntryBatch } from '../kernel/entry-batch.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FragmentList } from '../kernel/fragment-list.ts'
import type { Hash } from '../kernel/hash.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { FileReader } from '../fs/fs.ts'
import { alignedBytes, readU32 } from './columns.ts'
import { PART_FILTER, PART_INDEX, PART_PROPERTIES, PART_RANGES, fileIdentity } from './file-identity.ts'
import { copyEntries } from './row-block-copy.ts'
import { decodeBlock } from './row-block-decode.ts'
import { FOOTER_BYTES } from './row-footer.ts'
import type { PartHandle, RowFooter } from './row-footer.ts'
import { RowIndex } from './row-index.ts'
import { footerOf, isPartWhole } from './row-meta.ts'
import { decodeProperties } from './row-properties.ts'
import type { RowProperties } from './row-properties.ts'
import { decodeRanges } from './row-ranges.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePart } from './table-damage.ts'

/** What was found, or why it could not be read. */
export type Inspected<Part> = { readonly found: Part } | { readonly damage: VarveError }

export interface RowInspection {
  readonly footer: RowFooter
  readonly properties: Inspected<RowProperties>
  readonly index: Inspected<RowIndex>
  /** Range tombstones; none where their part is empty. */
  readonly ranges: Inspected<FragmentList>
  /** Undefined where the table has none. */
  readonly filter: Inspected<FilterShape> | undefined
}

export interface FilterShape {
  readonly bytes: number
  readonly probes: number
}

/** @throws {VarveError} TABLE_CORRUPT, INCOMPATIBLE — the footer: without it, nothing can be found; FILE_MISSING, IO_FAILED */
export async function inspectRowTable(file: FileReader, hash: Hash): Promise<RowInspection> {
  const { ref } = file
  const identity = fileIdentity(hash, ref.name)
  const tailBytes = Math.min(ref.bytes, FOOTER_BYTES)
  const footer = footerOf(await file.read(ref.bytes - tailBytes, tailBytes), ref, hash)
  const part = async <Part>(
    name: TablePart,
    kind: number,
    handle: PartHandle,
    decode: (bytes: Uint8Array) => Part,
  ): Promise<Inspected<Part>> => {
    try {
      const bytes = await file.read(handle.offset, handle.length)
      if (isPartWhole(bytes, handle, kind, identity, hash)) return { found: decode(bytes) }
      throw tableCorrupt({ file: ref.name, part: name, offset: handle.offset }, 'checksum does not match')
    } catch (error) {
      if (error instanceof VarveError) return { damage: error }
      throw error
    }
  }
  const properties = await part('properties', PART_PROPERTIES, footer.properties, (bytes) =>
    decodeProperties(bytes, { file: ref.name, part: 'properties', offset: footer.properties.offset }),
  )
  const order = 'found' in properties ? orderOfName(properties.found.order) : BYTEWISE
  const index = await part('index', PART_INDEX, footer.index, (bytes) => {
    const place = { file: ref.name, part: 'index', offset: footer.index.offset } as const
    return new RowIndex(alignedBytes(bytes, false), footer.ranges.offset, order, place)
  })
  const ranges = await part('ranges', PART_RANGES, footer.ranges, (bytes) =>
    decodeRanges(bytes, order, { file: ref.name, part: 'ranges', offset: footer.ranges.offset }),
  )
  const filter =
    footer.filter.length === 0
      ? undefined
      : await part('filter', PART_FILTER, footer.filter, (bytes) => ({
          bytes: bytes.length,
          probes: readU32(bytes, 0),
        }))
  return { footer, properties, index, ranges, filter }
}

/**
 * The entries of block `number`, as they stand, in batches that are used again.
 *
 * @throws {VarveError} TABLE_CORRUPT, FILE_MISSING, IO_FAILED
 */
export async function* inspectRowBlock(
  file: FileReader,
  index: RowIndex,
  number: number,
  hash: Hash,
): AsyncGenerator<EntryBatch, void, undefined> {
  const stored = await file.read(index.offsets[number] as number, index.storedLength(number))
  const block = decodeBlock(index, number, stored, { ref: file.ref, evicted: () => undefined }, hash)
  const batch = new EntryBatch()
  for (let first = 0; first < block.count; first += batch.count) {
    batch.clear()
    copyEntries(block, first, Math.min(batch.capacity, block.count - first), 1, batch)
    yield batch
  }
}

/** Enough to read what is stored: what has to ascend is taken to. */
function orderOfName(name: string): KeyOrder {
  if (name === BYTEWISE.name) return BYTEWISE
  return { name, bytewise: false, compare: () => -1 }
}
