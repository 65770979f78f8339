/**
 * Reads one row table.
 *
 * A lookup is: filter, binary search over the heads of the index, a slot, binary search over the heads of a block. No
 * map, no allocation, no await.
 */

import type { Cursor, CursorOptions, Pending } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { foundDeletion } from '../kernel/found.ts'
import type { Found } from '../kernel/found.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { FileReader } from '../fs/fs.ts'
import type { BlockCache } from './block-cache.ts'
import type { BlockFetch, BlockSource } from './block-fetch.ts'
import { KeyScratch } from './key-scratch.ts'
import { ROW_ABSENT, ROW_BEYOND, findInBlock, findInBlockBy } from './row-block-search.ts'
import { RowBlocks } from './row-blocks.ts'
import { RowCursor } from './row-cursor.ts'
import { RowMeta, footerOf, tailGuess } from './row-meta.ts'
import { blockSpan } from './row-span.ts'
import { verifyRowTable } from './row-verify.ts'
import { SharedLoads } from './shared-loads.ts'
import type { TableProperties, TableReader, TableReaderOptions } from './sst.ts'

/** The number under which a fetch asks for the meta. */
const META = 0

export class RowTableReader implements TableReader, BlockSource {
  readonly order: KeyOrder
  readonly hash: Hash
  readonly blocks: RowBlocks
  readonly #file: FileReader
  readonly #cache: BlockCache
  readonly #loads = new SharedLoads()
  readonly #scratch = new KeyScratch()
  #meta: RowMeta | undefined = undefined
  #closed = false

  constructor(file: FileReader, options: TableReaderOptions) {
    this.#file = file
    this.order = options.order
    this.hash = options.hash
    this.#cache = options.cache
    this.blocks = new RowBlocks(file, options)
  }

  get ref(): FileRef {
    return this.#file.ref
  }

  get(key: Uint8Array, keyHash: number, seqno: Seqno, into: Found, fetch: BlockFetch): boolean | Pending {
    const meta = this.#meta
    if (meta === undefined) return this.#wantMeta(fetch)
    if (meta.rangeTombstones.count !== 0) return this.#getCovered(meta, key, keyHash, seqno, into, fetch)
    return this.#find(meta, key, keyHash, seqno, into, fetch)
  }

  #getCovered(
    meta: RowMeta,
    key: Uint8Array,
    keyHash: number,
    seqno: Seqno,
    into: Found,
    fetch: BlockFetch,
  ): boolean | Pending {
    const covered = meta.rangeTombstones.newest(key, 0, key.length, seqno)
    // At its last seqno nothing in the table is newer: no block has to be looked at.
    if (covered !== meta.properties.seqnoLast) {
      const found = this.#find(meta, key, keyHash, seqno, into, fetch)
      if (found === PENDING || covered === 0 || (found && into.seqno > covered)) return found
    }
    return foundDeletion(into, covered)
  }

  #find(
    meta: RowMeta,
    key: Uint8Array,
    keyHash: number,
    seqno: Seqno,
    into: Found,
    fetch: BlockFetch,
  ): boolean | Pending {
    if (meta.filter !== undefined && !meta.filter.mayContain(keyHash)) return false
    const index = meta.index
    for (let number = index.lowerBound(key); number < index.blockCount; number++) {
      const block = this.blocks.find(number, fetch)
      if (block === undefined) return PENDING
      const at = this.order.bytewise
        ? findInBlock(block, key, seqno)
        : findInBlockBy(block, this.order, key, seqno, this.#scratch)
      if (at >= 0) {
        block.foundAt(at, into)
        return true
      }
      // Past the end of a block whose separator is the key, older versions may go on in the next.
      if (at === ROW_ABSENT || (at === ROW_BEYOND && !index.isSeparator(number, key))) return false
    }
    return false
  }

  cursor(options: CursorOptions, intent: 'point' | 'stream' = 'point'): Cursor {
    this.#checkOpen()
    return new RowCursor(this, options, intent)
  }

  properties(fetch: BlockFetch): TableProperties | Pending {
    return this.#meta === undefined ? this.#wantMeta(fetch) : this.#meta.properties
  }

  rangeTombstones(fetch: BlockFetch): RangeTombstones | Pending {
    return this.#meta === undefined ? this.#wantMeta(fetch) : this.#meta.rangeTombstones
  }

  approximateBytes(range: KeyRange, fetch: BlockFetch): number | Pending {
    const meta = this.#meta
    if (meta === undefined) return this.#wantMeta(fetch)
    if (isEmptyRange(range, this.order)) return 0
    const { first, limit } = blockSpan(meta.index, range)
    return (meta.index.offsets[limit] as number) - (meta.index.offsets[first] as number)
  }

  async verify(level: 'bytes' | 'structure', signal?: AbortSignal): Promise<void> {
    this.#checkOpen()
    await verifyRowTable(this.#file, level, this.hash, this.order, signal)
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.blocks.close()
      if (this.#meta !== undefined) this.#cache.unpin(this.#meta.memoryBytes)
      this.#meta = undefined
    }
    await this.#file.close()
  }

  /** Undefined until it has been loaded, for good until `close`. */
  get meta(): RowMeta | undefined {
    return this.#meta
  }

  /** Loads the meta, the one thing a fetch wants of the reader itself. */
  load(): Promise<RowMeta> {
    return this.#loads.share(META, () => this.#load()) as Promise<RowMeta>
  }

  loadSync(): RowMeta {
    this.#checkOpen()
    if (this.#meta !== undefined) return this.#meta
    const bytes = this.ref.bytes
    let tail = this.#file.readSync(bytes - tailGuess(bytes), tailGuess(bytes))
    const footer = footerOf(tail, this.ref, this.hash)
    if (footer.ranges.offset < bytes - tail.length) {
      tail = this.#file.readSync(footer.ranges.offset, bytes - footer.ranges.offset)
    }
    return this.#keepMeta(new RowMeta(tail, footer, this.ref, this.hash, this.order))
  }

  /** It may be large: whoever lacks it waits. */
  loadNow(): RowMeta | undefined {
    return this.#meta
  }

  hold(): void {} // What a fetch holds stays valid by itself: it is plain memory.

  letGo(): void {}

  async #load(): Promise<RowMeta> {
    this.#checkOpen()
    if (this.#meta !== undefined) return this.#meta
    const bytes = this.ref.bytes
    let tail = await this.#file.read(bytes - tailGuess(bytes), tailGuess(bytes))
    const footer = footerOf(tail, this.ref, this.hash)
    if (footer.ranges.offset < bytes - tail.length) {
      tail = await this.#file.read(footer.ranges.offset, bytes - footer.ranges.offset)
    }
    return this.#keepMeta(new RowMeta(tail, footer, this.ref, this.hash, this.order))
  }

  #keepMeta(meta: RowMeta): RowMeta {
    this.#checkOpen()
    if (this.#meta !== undefined) return this.#meta
    this.#meta = meta
    this.blocks.open(meta.index)
    this.#cache.pin(meta.memoryBytes)
    return meta
  }

  #wantMeta(fetch: BlockFetch): Pending {
    this.#checkOpen()
    fetch.want(this, META)
    return PENDING
  }

  #checkOpen(): void {
    if (this.#closed) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}
