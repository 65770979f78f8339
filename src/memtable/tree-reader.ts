/** Reading a B+tree: the live one, or in another thread a frozen one from its image. */

import { assert } from '../kernel/assert.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import { foundDeletion } from '../kernel/found.ts'
import type { Found } from '../kernel/found.ts'
import { SEQNO_ZERO } from '../kernel/ids.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { ArenaChunk } from './arena.ts'
import { ArenaView } from './arena-view.ts'
import type { OrderedReader } from './ordered-memtable.ts'
import { TombstoneLog } from './tombstone-log.ts'
import { Tree } from './tree.ts'
import { TreeCursor } from './tree-cursor.ts'
import {
  FIRST_VERSION_UNITS,
  KIND_SHIFT,
  NODE_CHILDREN,
  NODE_COUNT,
  VERSION_BYTES,
  VERSION_SEQNO_HIGH,
  VERSION_VALUE_LENGTH,
} from './tree-layout.ts'

/** A frozen tree as plain data. Everything large is in the chunks. */
export interface TreeImage {
  /** Says what it is. */
  readonly kind: 'b-plus-tree'
  /** Name of the key order. */
  readonly order: string
  /** As the pool had it: `ArenaSettings.chunkBytes`. */
  readonly chunkBytes: number
  /** By their ids; the rest of the image points into them. Lent until the memtable is released. */
  readonly chunks: readonly ArenaChunk[]
  /** Address of the root node. */
  readonly root: number
  /** Address of the leaf with the least key. */
  readonly firstLeaf: number
  /** Address of the leaf with the greatest key. */
  readonly lastLeaf: number
  /** Levels of nodes, leaves included. */
  readonly height: number
  /** What all keys begin with, left out of the nodes. */
  readonly prefix: Uint8Array
  /** Arena bytes taken. */
  readonly bytes: number
  /** Operations applied. */
  readonly count: number
  /** Distinct keys. */
  readonly keyCount: number
  /** Of the first operation; 0: there was none. */
  readonly seqnoFirst: Seqno
  /** Of the last operation; 0: there was none. */
  readonly seqnoLast: Seqno
  /** As `decodeTombstones` reads them. */
  readonly rangeTombstones: Uint8Array
}

/** Reads a tree, live or frozen. Synchronous. */
export class TreeReader implements OrderedReader {
  count = 0
  keyCount = 0
  seqnoFirst: Seqno = SEQNO_ZERO
  seqnoLast: Seqno = SEQNO_ZERO
  /** Arena bytes taken. */
  bytes = 0
  readonly rangeTombstones: TombstoneLog
  readonly #tree: Tree

  /** @param tree read, never changed */
  constructor(tree: Tree) {
    this.#tree = tree
    this.rangeTombstones = new TombstoneLog(tree.order)
  }

  get(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    if (this.rangeTombstones.count !== 0) return this.#getCovered(key, seqno, into)
    return this.#find(key, seqno, into)
  }

  #getCovered(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    const found = this.#find(key, seqno, into)
    const covered = this.rangeTombstones.newest(key, 0, key.length, seqno)
    if (covered === 0 || (found && into.seqno > covered)) return found
    return foundDeletion(into, covered)
  }

  #find(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    const tree = this.#tree
    const record = tree.find(key, 0, key.length)
    if (record === 0) return false
    const version = tree.visibleVersion(record, seqno)
    if (version === 0) return false
    const { view } = tree
    into.kind = tree.word(version, VERSION_SEQNO_HIGH) >>> KIND_SHIFT
    into.seqno = tree.seqnoOf(version)
    into.block = view.bytes[version >>> view.shift] as Uint8Array
    into.valueStart =
      version === record + FIRST_VERSION_UNITS
        ? tree.keyStart(record) + key.length
        : ((version & view.mask) << 3) + VERSION_BYTES
    into.valueLength = tree.word(version, VERSION_VALUE_LENGTH)
    into.own = false
    return true
  }

  cursor(options: CursorOptions): Cursor {
    return new TreeCursor(this.#tree, options)
  }

  approximateBytes(range: KeyRange): number {
    if (this.#tree.root === 0 || isEmptyRange(range, this.#tree.order)) return 0
    const start = range.lower === undefined ? 0 : this.#shareBefore(range.lower)
    const limit = range.upper === undefined ? 1 : this.#shareBefore(range.upper)
    return Math.round(this.bytes * Math.max(limit - start, 0))
  }

  /** Which part of all keys is before `key`, as if all nodes of a level were equally full. */
  #shareBefore(key: Uint8Array): number {
    const tree = this.#tree
    const side = tree.comparePrefix(key, 0, key.length)
    if (side !== 0) return side < 0 ? 0 : 1
    let node = tree.root
    let share = 0
    let width = 1
    for (let level = tree.height; level > 1; level--) {
      const index = tree.childIndex(node, key, 0, key.length)
      width /= tree.word(node, NODE_COUNT) + 1
      share += index * width
      node = tree.word(node, NODE_CHILDREN + index)
    }
    const slot = tree.slotIndex(node, key, 0, key.length)
    return share + ((slot < 0 ? ~slot : slot) * width) / tree.word(node, NODE_COUNT)
  }
}

/**
 * Reads a frozen tree that was handed over, in any thread.
 *
 * @param order the order whose name the image has
 */
export function openTreeImage(image: TreeImage, order: KeyOrder): OrderedReader {
  assert(image.kind === 'b-plus-tree', 'not the image of a B+tree')
  assert(image.order === order.name, 'key order differs from that of the image')
  const tree = new Tree(new ArenaView(image.chunkBytes, image.chunks), order)
  tree.root = image.root
  tree.firstLeaf = image.firstLeaf
  tree.lastLeaf = image.lastLeaf
  tree.height = image.height
  tree.prefix = image.prefix
  const reader = new TreeReader(tree)
  reader.bytes = image.bytes
  reader.count = image.count
  reader.keyCount = image.keyCount
  reader.seqnoFirst = image.seqnoFirst
  reader.seqnoLast = image.seqnoLast
  reader.rangeTombstones.addEncoded(image.rangeTombstones)
  return reader
}
