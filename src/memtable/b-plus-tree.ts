/**
 * The memtable of ordered keys: a B+tree of versions over arena chunks.
 *
 * One slot per key; a new version of a key becomes the head of its chain of versions and leaves the tree as it is.
 * Layout: tree-layout.ts; searching: tree.ts; growing: tree-writer.ts; filling at once: tree-load.ts.
 */

import { assert } from '../kernel/assert.ts'
import { copyBytes, copyOf } from '../kernel/bytes.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import type { Found } from '../kernel/found.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { ArenaPool } from './arena.ts'
import { ArenaAllocator } from './arena-allocator.ts'
import { RANGE_DELETE } from './entry-operation.ts'
import type { EntryOperation, OrderedOperation } from './entry-operation.ts'
import type { OrderedLoad, OrderedMemtable, OrderedMemtableSupport } from './ordered-memtable.ts'
import { Tree } from './tree.ts'
import {
  FIRST_VERSION_UNITS,
  RECORD_BYTES,
  RECORD_KEY_LENGTH,
  RECORD_NEWEST,
  VERSION_BYTES,
  writeVersion,
} from './tree-layout.ts'
import { TreeLoad } from './tree-load.ts'
import { TreeReader } from './tree-reader.ts'
import type { TreeImage } from './tree-reader.ts'
import { TreeWriter } from './tree-writer.ts'

export { openTreeImage } from './tree-reader.ts'
export type { TreeImage } from './tree-reader.ts'

/** Where a tree has its memory from, and how it sorts. */
export interface BPlusTreeOptions {
  /** Where chunks come from and go back to. */
  readonly pool: ArenaPool
  /** Default BYTEWISE. Any other order is slower: every step of a search compares whole keys. */
  readonly order?: KeyOrder
}

/** The memtable that shards have where nothing else is said. Its chunks go back to the pool with `release`. */
export class BPlusTree implements OrderedMemtable {
  readonly supports: OrderedMemtableSupport = Object.freeze({ versions: true, load: true })
  /** As given. */
  readonly order: KeyOrder
  readonly #allocator: ArenaAllocator
  readonly #tree: Tree
  readonly #writer: TreeWriter
  readonly #reader: TreeReader
  #load: TreeLoad | undefined
  #state: 'open' | 'frozen' | 'released' = 'open'

  constructor(options: BPlusTreeOptions) {
    this.order = options.order ?? BYTEWISE
    this.#allocator = new ArenaAllocator(options.pool)
    this.#tree = new Tree(this.#allocator.view, this.order)
    this.#writer = new TreeWriter(this.#tree, this.#allocator)
    this.#reader = new TreeReader(this.#tree)
  }

  /**
   * Bytes handed out in chunks, with what is lost at their ends, without the free rest of the last one; and what range
   * tombstones take beside them. While it is being loaded, with the nodes that are to be built.
   */
  get bytes(): number {
    return this.#allocator.bytes + this.#reader.rangeTombstones.bytes + (this.#load?.bytesAhead ?? 0)
  }

  get count(): number {
    return this.#reader.count
  }

  get keyCount(): number {
    return this.#reader.keyCount
  }

  get seqnoFirst(): Seqno {
    return this.#reader.seqnoFirst
  }

  get seqnoLast(): Seqno {
    return this.#reader.seqnoLast
  }

  get rangeTombstones(): RangeTombstones {
    return this.#reader.rangeTombstones
  }

  apply(operation: OrderedOperation, seqno: Seqno, _position: JournalPosition): void {
    const reader = this.#reader
    assert(this.#state === 'open', 'memtable is frozen')
    assert(this.#load === undefined, 'memtable is being loaded')
    assert(seqno > reader.seqnoLast, 'seqno does not grow')
    if (operation.kind === RANGE_DELETE) reader.rangeTombstones.add(operation.lower, operation.upper, seqno)
    else this.#applyEntry(operation, seqno)
    if (reader.count === 0) reader.seqnoFirst = seqno
    reader.count++
    reader.seqnoLast = seqno
  }

  #applyEntry(operation: EntryOperation, seqno: Seqno): void {
    const { key, value } = operation
    const tree = this.#tree
    const record = this.#writer.locate(key)
    if (record === 0) {
      const added = this.#allocator.allocate(RECORD_BYTES + key.length + value.length)
      const version = added + FIRST_VERSION_UNITS
      tree.setWord(added, RECORD_NEWEST, version)
      tree.setWord(added, RECORD_KEY_LENGTH, key.length)
      this.#writeVersion(version, 0, value.length, seqno, operation.kind)
      const bytes = tree.chunkBytes(added)
      const keyStart = tree.keyStart(added)
      copyBytes(key, bytes, keyStart)
      copyBytes(value, bytes, keyStart + key.length)
      this.#writer.insert(added, key)
      this.#reader.keyCount++
    } else {
      const version = this.#allocator.allocate(VERSION_BYTES + value.length)
      this.#writeVersion(version, tree.word(record, RECORD_NEWEST), value.length, seqno, operation.kind)
      const valueStart = ((version & tree.view.mask) << 3) + VERSION_BYTES
      copyBytes(value, tree.chunkBytes(version), valueStart)
      tree.setWord(record, RECORD_NEWEST, version)
    }
  }

  load(): OrderedLoad {
    assert(this.#state === 'open' && this.#load === undefined, 'memtable is frozen, or being loaded')
    assert(this.#reader.count === 0, 'only an empty memtable can be loaded')
    const parts = { tree: this.#tree, allocator: this.#allocator, reader: this.#reader }
    return (this.#load = new TreeLoad(parts, () => (this.#load = undefined)))
  }

  get(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    assert(this.#state !== 'released', 'memtable read after its release')
    return this.#reader.get(key, seqno, into)
  }

  cursor(options: CursorOptions): Cursor {
    assert(this.#state !== 'released', 'memtable read after its release')
    return this.#reader.cursor(options)
  }

  approximateBytes(range: KeyRange): number {
    this.#reader.bytes = this.#allocator.bytes
    return this.#reader.approximateBytes(range)
  }

  freeze(): void {
    if (this.#state === 'open') this.#state = 'frozen'
  }

  handOver(): TreeImage {
    assert(this.#state === 'frozen', 'only a frozen memtable can be handed over')
    assert(this.#load === undefined, 'memtable is being loaded')
    const tree = this.#tree
    const { count, keyCount, seqnoFirst, seqnoLast, rangeTombstones } = this.#reader
    return {
      kind: 'b-plus-tree',
      order: this.order.name,
      chunkBytes: this.#allocator.chunkBytes,
      chunks: this.#allocator.chunks.slice(),
      root: tree.root,
      firstLeaf: tree.firstLeaf,
      lastLeaf: tree.lastLeaf,
      height: tree.height,
      prefix: copyOf(tree.prefix),
      bytes: this.#allocator.bytes,
      count,
      keyCount,
      seqnoFirst,
      seqnoLast,
      rangeTombstones: rangeTombstones.encoded(),
    }
  }

  release(): void {
    if (this.#state === 'released') return
    this.#state = 'released'
    this.#tree.clear()
    this.#allocator.release()
  }

  #writeVersion(version: number, previous: number, valueLength: number, seqno: number, kind: number): void {
    const { view } = this.#tree
    const words = view.words[version >>> view.shift] as Uint32Array
    writeVersion(words, (version & view.mask) << 1, previous, valueLength, seqno, kind)
  }
}
