/**
 * Inserting into a B+tree in an arena.
 *
 * A leaf that is full splits in the middle, except where the new key would be its first or last: then that key starts
 * a leaf of its own, so that ascending and descending loads leave full nodes behind.
 */

import { copyOf, headOf, sharedPrefixLength } from '../kernel/bytes.ts'
import { assert } from '../kernel/assert.ts'
import type { ArenaAllocator } from './arena-allocator.ts'
import { headAfter, sharedBetween } from './record-keys.ts'
import type { Tree } from './tree.ts'
import {
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
} from './tree-layout.ts'

export class TreeWriter {
  readonly #tree: Tree
  readonly #allocator: ArenaAllocator
  /** The inner nodes of the last descent, root first, and which child it took. */
  readonly #pathNodes = new Int32Array(HEIGHT_MAX)
  readonly #pathIndexes = new Int32Array(HEIGHT_MAX)
  /** Where the last `locate` ended. */
  #leaf = 0
  #index = 0
  /** False while `#path…` is not that of `#leaf`. */
  #pathKnown = false

  constructor(tree: Tree, allocator: ArenaAllocator) {
    this.#tree = tree
    this.#allocator = allocator
  }

  /** The record of `key`, or 0 where there is none: then `insert` puts one in its place. */
  locate(key: Uint8Array): number {
    const tree = this.#tree
    if (tree.root === 0) this.#plant(key)
    else if (tree.comparePrefix(key, 0, key.length) !== 0) this.#shortenPrefix(key)
    else if (this.#isAfterLast(key)) {
      this.#leaf = tree.lastLeaf
      this.#index = tree.word(tree.lastLeaf, NODE_COUNT)
      this.#pathKnown = false
      return 0
    }
    const index = this.#descend(key)
    if (index >= 0) return tree.word(this.#leaf, NODE_RECORDS + index)
    this.#index = ~index
    return 0
  }

  /** Puts `record`, whose key is `key`, where the last `locate` found none. */
  insert(record: number, key: Uint8Array): void {
    const tree = this.#tree
    tree.changes++
    if (tree.word(this.#leaf, NODE_COUNT) === NODE_KEYS_MAX) {
      if (!this.#pathKnown) this.#descend(key)
      this.#splitLeaf(record)
    } else this.#insertKey(this.#leaf, this.#index, record, this.#headAfter(record, this.#leaf))
  }

  /** Walks to the leaf of `key`, keeps the path, and returns what `slotIndex` says. */
  #descend(key: Uint8Array): number {
    const tree = this.#tree
    let node = tree.root
    for (let depth = 0; depth < tree.height - 1; depth++) {
      const index = tree.childIndex(node, key, 0, key.length)
      this.#pathNodes[depth] = node
      this.#pathIndexes[depth] = index
      node = tree.word(node, NODE_CHILDREN + index)
    }
    this.#leaf = node
    this.#pathKnown = true
    return tree.slotIndex(node, key, 0, key.length)
  }

  /** Makes an empty leaf the root. */
  #plant(key: Uint8Array): void {
    const tree = this.#tree
    if (tree.bytewise) tree.prefix = copyOf(key)
    tree.root = tree.firstLeaf = tree.lastLeaf = this.#newNode(LEAF_BYTES, tree.prefix.length)
    tree.height = 1
  }

  #isAfterLast(key: Uint8Array): boolean {
    const tree = this.#tree
    const leaf = tree.lastLeaf
    const last = tree.word(leaf, NODE_COUNT) - 1
    const record = tree.word(leaf, NODE_RECORDS + last)
    if (!tree.bytewise) {
      const start = tree.keyStart(record)
      const limit = start + tree.keyLength(record)
      return tree.order.compare(key, 0, key.length, tree.chunkBytes(record), start, limit) > 0
    }
    const prefixLength = tree.word(leaf, NODE_PREFIX_LENGTH)
    const head = headOf(key, prefixLength, key.length) >>> 1
    const other = tree.word(leaf, NODE_HEADS + last)
    return head > other || (head === other && tree.compareTail(key, prefixLength, key.length, record, prefixLength) > 0)
  }

  /** Not all keys begin with `tree.prefix` any more: shortens it and, at both edges of the tree, the prefixes that relied on it. */
  #shortenPrefix(key: Uint8Array): void {
    const tree = this.#tree
    const length = sharedPrefixLength(tree.prefix, 0, tree.prefix.length, key, 0, key.length)
    tree.prefix = copyOf(tree.prefix, 0, length)
    let left = tree.root
    let right = tree.root
    for (let level = tree.height; level >= 1; level--) {
      this.#setPrefix(left, length)
      if (right !== left) this.#setPrefix(right, length)
      if (level === 1) break
      left = tree.word(left, NODE_CHILDREN)
      right = tree.word(right, NODE_CHILDREN + tree.word(right, NODE_COUNT))
    }
  }

  #splitLeaf(record: number): void {
    const tree = this.#tree
    const left = this.#leaf
    const index = this.#index
    const at = index === 0 ? 0 : index === NODE_KEYS_MAX ? NODE_KEYS_MAX : NODE_KEYS_MAX >>> 1
    const right = this.#newNode(LEAF_BYTES, tree.word(left, NODE_PREFIX_LENGTH))
    this.#moveKeys(left, at, right)
    const next = tree.word(left, NODE_NEXT)
    tree.setWord(right, NODE_NEXT, next)
    tree.setWord(right, NODE_BEFORE, left)
    tree.setWord(left, NODE_NEXT, right)
    if (next === 0) tree.lastLeaf = right
    else tree.setWord(next, NODE_BEFORE, right)

    // A key between the halves goes left, unless it is the one that the right leaf was made for.
    const goesLeft = index < NODE_KEYS_MAX && index <= at
    const separator = goesLeft || index > at ? tree.word(right, NODE_RECORDS) : record
    this.#narrowPrefixes(tree.height - 1, left, separator, right)
    const target = goesLeft ? left : right
    this.#insertKey(target, goesLeft ? index : index - at, record, this.#headAfter(record, target))
    this.#insertChild(tree.height - 2, separator, right)
  }

  /** Makes `child` the right neighbour of the child that the path takes at `depth`, with `separator` between them. */
  #insertChild(depth: number, separator: number, child: number): void {
    const tree = this.#tree
    if (depth < 0) {
      this.#growRoot(separator, child)
      return
    }
    const left = this.#pathNodes[depth] as number
    const index = this.#pathIndexes[depth] as number
    if (tree.word(left, NODE_COUNT) < NODE_KEYS_MAX) {
      this.#insertKeyAndChild(left, index, separator, child)
      return
    }
    const right = this.#newNode(INNER_BYTES, tree.word(left, NODE_PREFIX_LENGTH))
    let promoted: number
    if (index === 0 || index === NODE_KEYS_MAX) {
      // The new separator itself moves up, and `child` becomes the first child of the right node.
      promoted = separator
      this.#moveKeys(left, index, right)
      this.#moveChildren(left, index + 1, right, 1)
      tree.setWord(right, NODE_CHILDREN, child)
      this.#narrowPrefixes(depth, left, promoted, right)
    } else {
      const middle = NODE_KEYS_MAX >>> 1
      promoted = tree.word(left, NODE_RECORDS + middle)
      this.#moveKeys(left, middle + 1, right)
      tree.setWord(left, NODE_COUNT, middle)
      this.#moveChildren(left, middle + 1, right, 0)
      this.#narrowPrefixes(depth, left, promoted, right)
      if (index <= middle) this.#insertKeyAndChild(left, index, separator, child)
      else this.#insertKeyAndChild(right, index - middle - 1, separator, child)
    }
    this.#insertChild(depth - 1, promoted, right)
  }

  #growRoot(separator: number, child: number): void {
    const tree = this.#tree
    assert(tree.height < HEIGHT_MAX, 'tree too high')
    const root = this.#newNode(INNER_BYTES, tree.prefix.length)
    tree.setWord(root, NODE_CHILDREN, tree.root)
    tree.root = root
    tree.height++
    this.#insertKeyAndChild(root, 0, separator, child)
  }

  #insertKeyAndChild(node: number, index: number, separator: number, child: number): void {
    const tree = this.#tree
    const { words } = tree.view
    const inWords = words[node >>> tree.view.shift] as Uint32Array
    const children = ((node & tree.view.mask) << 1) + NODE_CHILDREN
    const count = tree.word(node, NODE_COUNT)
    shiftUp(inWords, children + index + 1, children + count + 1)
    inWords[children + index + 1] = child
    this.#insertKey(node, index, separator, this.#headAfter(separator, node))
  }

  #insertKey(node: number, index: number, record: number, head: number): void {
    const { view } = this.#tree
    const words = view.words[node >>> view.shift] as Uint32Array
    const base = (node & view.mask) << 1
    const count = words[base + NODE_COUNT] as number
    const heads = base + NODE_HEADS
    const records = base + NODE_RECORDS
    shiftUp(words, heads + index, heads + count)
    shiftUp(words, records + index, records + count)
    words[heads + index] = head
    words[records + index] = record
    words[base + NODE_COUNT] = count + 1
  }

  /** Moves the keys from `index` on to the start of the empty node `target`. */
  #moveKeys(source: number, index: number, target: number): void {
    const tree = this.#tree
    const count = tree.word(source, NODE_COUNT)
    for (let at = index; at < count; at++) {
      tree.setWord(target, NODE_HEADS + at - index, tree.word(source, NODE_HEADS + at))
      tree.setWord(target, NODE_RECORDS + at - index, tree.word(source, NODE_RECORDS + at))
    }
    tree.setWord(source, NODE_COUNT, index)
    tree.setWord(target, NODE_COUNT, count - index)
  }

  /** Copies the children from `index` on, of a node that was full, to `target`, from child `targetIndex` on. */
  #moveChildren(source: number, index: number, target: number, targetIndex: number): void {
    const tree = this.#tree
    for (let at = index; at <= NODE_KEYS_MAX; at++) {
      tree.setWord(target, NODE_CHILDREN + targetIndex + at - index, tree.word(source, NODE_CHILDREN + at))
    }
  }

  /** Sets the prefixes of two nodes that were one, at `depth` of the path, and are now divided by `separator`. */
  #narrowPrefixes(depth: number, left: number, separator: number, right: number): void {
    if (!this.#tree.bytewise) return
    this.#setPrefix(left, this.#prefixBetween(this.#fence(depth, 0), separator))
    this.#setPrefix(right, this.#prefixBetween(separator, this.#fence(depth, 1)))
  }

  /** The separator left (`side` 0) or right (1) of the node at `depth` of the path, or 0 at the edge of the tree. */
  #fence(depth: number, side: 0 | 1): number {
    const tree = this.#tree
    for (let above = depth - 1; above >= 0; above--) {
      const node = this.#pathNodes[above] as number
      const index = (this.#pathIndexes[above] as number) - 1 + side
      if (index >= 0 && index < tree.word(node, NODE_COUNT)) return tree.word(node, NODE_RECORDS + index)
    }
    return 0
  }

  /** How many bytes all keys between two fences have in common; 0 is the edge of the tree. */
  #prefixBetween(low: number, high: number): number {
    if (low === 0 || high === 0) return this.#tree.prefix.length
    return sharedBetween(this.#tree, low, high)
  }

  #setPrefix(node: number, prefixLength: number): void {
    const tree = this.#tree
    if (tree.word(node, NODE_PREFIX_LENGTH) === prefixLength) return
    tree.setWord(node, NODE_PREFIX_LENGTH, prefixLength)
    const count = tree.word(node, NODE_COUNT)
    for (let index = 0; index < count; index++) {
      tree.setWord(node, NODE_HEADS + index, this.#headAfter(tree.word(node, NODE_RECORDS + index), node))
    }
  }

  /** The head of the record's key in `node`. */
  #headAfter(record: number, node: number): number {
    return headAfter(this.#tree, record, this.#tree.word(node, NODE_PREFIX_LENGTH))
  }

  #newNode(bytes: number, prefixLength: number): number {
    const tree = this.#tree
    const node = this.#allocator.allocate(bytes)
    tree.setWord(node, NODE_COUNT, 0)
    tree.setWord(node, NODE_PREFIX_LENGTH, prefixLength)
    tree.setWord(node, NODE_NEXT, 0)
    tree.setWord(node, NODE_BEFORE, 0)
    return node
  }
}

/** Moves words [start, limit) up by one. By fours: copyWithin() on shared memory takes twice as long. */
function shiftUp(words: Uint32Array, start: number, limit: number): void {
  let at = limit
  for (; at - 4 >= start; at -= 4) {
    words[at] = words[at - 1] as number
    words[at - 1] = words[at - 2] as number
    words[at - 2] = words[at - 3] as number
    words[at - 3] = words[at - 4] as number
  }
  for (; at > start; at--) words[at] = words[at - 1] as number
}
