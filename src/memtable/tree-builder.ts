/**
 * A B+tree from records in key order, bottom-up: leaves are full, and what is above them is made as they come.
 *
 * The tree knows nothing of it before `finish`. Every record has a key, as if it were new. Of those with the same key the
 * first to arrive goes into the tree; the value of a later one is moved down over its key, which makes it a version like
 * any other.
 */

import { copyOf } from '../kernel/bytes.ts'
import { assert } from '../kernel/assert.ts'
import type { ArenaAllocator } from './arena-allocator.ts'
import { RUN_HEAD_BYTES } from './key-run.ts'
import { compareRecords, headAfter, sharedBetween } from './record-keys.ts'
import type { Tree } from './tree.ts'
import {
  FIRST_VERSION_UNITS,
  HEIGHT_MAX,
  INNER_BYTES,
  LEAF_BYTES,
  NODE_BEFORE,
  NODE_CHILDREN,
  NODE_COUNT,
  NODE_HEADS,
  NODE_KEYS_MAX,
  NODE_NEXT,
  NODE_PREFIX_LENGTH,
  NODE_RECORDS,
  RECORD_NEWEST,
  VERSION_PREVIOUS,
  VERSION_VALUE_LENGTH,
} from './tree-layout.ts'

const CHILDREN_MAX = NODE_KEYS_MAX + 1
/** Bytes of nodes for one key. */
export const BUILT_BYTES_PER_KEY = (LEAF_BYTES + INNER_BYTES / CHILDREN_MAX) / NODE_KEYS_MAX

/** Nodes that have no parent yet. One more than it takes: what is left at the end is never a single one. */
interface Level {
  readonly children: Uint32Array
  /** Of each child, the first record below it, or 0 at the left edge of the tree. */
  readonly separators: Uint32Array
  count: number
}

export class TreeBuilder {
  /** Distinct keys so far. */
  keyCount = 0
  readonly #tree: Tree
  readonly #allocator: ArenaAllocator
  readonly #sharedBytes: number
  /** Where a key has ended for certain. */
  readonly #keyLengthMax: number
  readonly #prefix: Uint8Array
  readonly #levels: Level[] = []
  /** The leaf that is being filled: its records and heads, and the record that divides it from the one before. */
  readonly #records = new Uint32Array(NODE_KEYS_MAX)
  readonly #heads = new Uint32Array(NODE_KEYS_MAX)
  readonly #tails = new Uint32Array(NODE_KEYS_MAX)
  #count = 0
  #separator = 0
  /** The last record with a key of its own. */
  #last = 0
  #lastHead = -1
  #lastTail = -1
  #firstLeaf = 0
  #lastLeaf = 0

  /** @param ends first and last record; all keys begin with `sharedBytes` bytes that they have in common */
  constructor(
    tree: Tree,
    allocator: ArenaAllocator,
    ends: readonly [number, number],
    sharedBytes: number,
    keyLengthMax: number,
  ) {
    this.#tree = tree
    this.#allocator = allocator
    this.#sharedBytes = sharedBytes
    this.#keyLengthMax = keyLengthMax
    const [first, last] = ends
    const start = tree.keyStart(first)
    this.#prefix = tree.bytewise
      ? copyOf(tree.chunkBytes(first), start, start + sharedBetween(tree, first, last))
      : new Uint8Array(0)
  }

  /** @param head @param tail four bytes of the key each, after `sharedBytes` */
  append(record: number, head: number, tail: number): void {
    if (head === this.#lastHead && tail === this.#lastTail) {
      const known = this.#sharedBytes + RUN_HEAD_BYTES
      if (compareRecords(this.#tree, this.#last, record, known) === 0) {
        this.#addVersion(record)
        return
      }
    }
    if (this.#count === NODE_KEYS_MAX) this.#closeLeaf(record)
    const at = this.#count++
    this.#records[at] = record
    this.#heads[at] = head
    this.#tails[at] = tail
    this.#last = record
    this.#lastHead = head
    this.#lastTail = tail
    this.keyCount++
  }

  /** Gives the tree what was built. */
  finish(): void {
    const tree = this.#tree
    if (this.#count > 0) this.#closeLeaf(0)
    for (let height = 0; ; height++) {
      const level = this.#levels[height] as Level
      if (level.count === 1) {
        tree.root = level.children[0] as number
        tree.height = height + 1
        break
      }
      if (level.count > CHILDREN_MAX) this.#closeInner(height, CHILDREN_MAX >>> 1)
      this.#closeInner(height, level.count)
    }
    tree.prefix = this.#prefix
    tree.firstLeaf = this.#firstLeaf
    tree.lastLeaf = this.#lastLeaf
    tree.changes++
  }

  /** Makes `record` the newest version of the key that came last. */
  #addVersion(record: number): void {
    const tree = this.#tree
    const version = record + FIRST_VERSION_UNITS
    const start = tree.keyStart(record)
    const valueStart = start + tree.keyLength(record)
    tree.chunkBytes(record).copyWithin(start, valueStart, valueStart + tree.word(version, VERSION_VALUE_LENGTH))
    tree.setWord(version, VERSION_PREVIOUS, tree.word(this.#last, RECORD_NEWEST))
    tree.setWord(this.#last, RECORD_NEWEST, version)
  }

  /** @param next the record that comes after the leaf, or 0 */
  #closeLeaf(next: number): void {
    const tree = this.#tree
    const count = this.#count
    const prefixLength = this.#prefixBetween(this.#separator, next)
    const leaf = this.#newNode(LEAF_BYTES, count, prefixLength)
    const { view } = tree
    const words = view.words[leaf >>> view.shift] as Uint32Array
    const at = (leaf & view.mask) << 1
    words[at + NODE_NEXT] = 0
    words[at + NODE_BEFORE] = this.#lastLeaf
    for (let index = 0; index < count; index++) words[at + NODE_RECORDS + index] = this.#records[index] as number
    this.#writeHeads(words, at + NODE_HEADS, prefixLength)
    if (this.#lastLeaf === 0) this.#firstLeaf = leaf
    else tree.setWord(this.#lastLeaf, NODE_NEXT, leaf)
    this.#lastLeaf = leaf
    this.#addChild(0, this.#separator, leaf)
    this.#separator = next
    this.#count = 0
  }

  /** From what came with the records, wherever it has the four bytes after the prefix: no record is touched then. */
  #writeHeads(words: Uint32Array, at: number, prefixLength: number): void {
    const count = this.#count
    const skipped = prefixLength - this.#sharedBytes
    const left = RUN_HEAD_BYTES - skipped
    const enough = left >= 4 || (left > 0 && this.#keyLengthMax <= this.#sharedBytes + RUN_HEAD_BYTES)
    if (!this.#tree.bytewise || !enough) {
      for (let index = 0; index < count; index++)
        words[at + index] = headAfter(this.#tree, this.#records[index] as number, prefixLength)
      return
    }
    const bits = (skipped & 3) << 3
    for (let index = 0; index < count; index++) {
      const tail = this.#tails[index] as number
      // A shift by 32 is one by 0.
      const head =
        skipped >= 4 ? tail << bits : ((this.#heads[index] as number) << bits) | (bits === 0 ? 0 : tail >>> (32 - bits))
      words[at + index] = head >>> 1
    }
  }

  #addChild(height: number, separator: number, child: number): void {
    assert(height < HEIGHT_MAX, 'tree too high')
    const level = (this.#levels[height] ??= {
      children: new Uint32Array(CHILDREN_MAX + 1),
      separators: new Uint32Array(CHILDREN_MAX + 1),
      count: 0,
    })
    if (level.count > CHILDREN_MAX) this.#closeInner(height, CHILDREN_MAX)
    level.children[level.count] = child
    level.separators[level.count++] = separator
  }

  /** Puts the first `count` nodes that have no parent at `height` below a new one. */
  #closeInner(height: number, count: number): void {
    const tree = this.#tree
    const level = this.#levels[height] as Level
    const { children, separators } = level
    const low = separators[0] as number
    const high = count < level.count ? (separators[count] as number) : 0
    const prefixLength = this.#prefixBetween(low, high)
    const node = this.#newNode(INNER_BYTES, count - 1, prefixLength)
    for (let index = 0; index < count; index++) {
      tree.setWord(node, NODE_CHILDREN + index, children[index] as number)
      if (index === 0) continue
      const separator = separators[index] as number
      tree.setWord(node, NODE_RECORDS + index - 1, separator)
      tree.setWord(node, NODE_HEADS + index - 1, headAfter(tree, separator, prefixLength))
    }
    children.copyWithin(0, count, level.count)
    separators.copyWithin(0, count, level.count)
    level.count -= count
    this.#addChild(height + 1, low, node)
  }

  #newNode(bytes: number, count: number, prefixLength: number): number {
    const tree = this.#tree
    const node = this.#allocator.allocate(bytes)
    tree.setWord(node, NODE_COUNT, count)
    tree.setWord(node, NODE_PREFIX_LENGTH, prefixLength)
    return node
  }

  /** How many bytes all keys between two separators have in common; 0 is the edge of the tree. */
  #prefixBetween(low: number, high: number): number {
    if (!this.#tree.bytewise || low === 0 || high === 0) return this.#prefix.length
    return sharedBetween(this.#tree, low, high)
  }
}
