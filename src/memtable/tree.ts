/**
 * Searching a B+tree in an arena. Layout: tree-layout.ts.
 *
 * Of a key on its way down, only four bytes a level are looked at, as long as heads differ. That the key shares the
 * `prefixLength` bytes of a node is not checked there: it follows from the two separators the key passed between, since
 * the prefix of a node is what those have in common. At the two edges of the tree there is only one separator, or none;
 * nodes there use the prefix of all keys (`prefix`), against which the key is compared first.
 *
 * With a key order that is not bytewise there are no heads and no prefixes, and every step compares whole keys.
 */

import { headOf } from '../kernel/bytes.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { ArenaView } from './arena-view.ts'
import {
  NODE_CHILDREN,
  NODE_COUNT,
  NODE_HEADS,
  NODE_PREFIX_LENGTH,
  NODE_RECORDS,
  RECORD_BYTES,
  RECORD_KEY_LENGTH,
  RECORD_NEWEST,
  SEQNO_HIGH_MASK,
  TWO_TO_32,
  VERSION_PREVIOUS,
  VERSION_SEQNO_HIGH,
  VERSION_SEQNO_LOW,
} from './tree-layout.ts'

const KEY_WORD = RECORD_BYTES / 4
const NO_BYTES = new Uint8Array(0)

/** Records that `gather` takes at most. */
export const TREE_WINDOW = 32

/** Between two slots of a leaf: the next key is in slot `index`, or first in the next leaf where `index` is the count. */
export interface TreePosition {
  leaf: number
  index: number
}

export class Tree {
  readonly view: ArenaView
  readonly order: KeyOrder
  readonly bytewise: boolean
  /** Addresses; 0 while the tree is empty. */
  root = 0
  firstLeaf = 0
  lastLeaf = 0
  /** Levels, leaves included. */
  height = 0
  /** What all keys begin with; empty where the order is not bytewise. */
  prefix: Uint8Array = NO_BYTES
  /** Grows whenever slots move: positions taken before are void. */
  changes = 0
  /** Means nothing: a place to put what was read only to have it in the cache. */
  touched = 0
  /** What `gather` found; reused. */
  readonly windowRecords = new Uint32Array(TREE_WINDOW)
  readonly windowVersions = new Uint32Array(TREE_WINDOW)
  readonly #words: Uint32Array[]
  readonly #bytes: Uint8Array[]
  readonly #shift: number
  readonly #mask: number

  constructor(view: ArenaView, order: KeyOrder) {
    this.view = view
    this.order = order
    this.bytewise = order.bytewise
    this.#words = view.words
    this.#bytes = view.bytes
    this.#shift = view.shift
    this.#mask = view.mask
  }

  /** The 32-bit word `index` of what lies at `address`. */
  word(address: number, index: number): number {
    return (this.#words[address >>> this.#shift] as Uint32Array)[((address & this.#mask) << 1) + index] as number
  }

  setWord(address: number, index: number, value: number): void {
    ;(this.#words[address >>> this.#shift] as Uint32Array)[((address & this.#mask) << 1) + index] = value
  }

  /** Forgets everything: the chunks are gone. */
  clear(): void {
    this.root = this.firstLeaf = this.lastLeaf = this.height = 0
    this.prefix = NO_BYTES
    this.changes++
  }

  /** The record of the key bytes[start…limit), or 0. */
  find(bytes: Uint8Array, start: number, limit: number): number {
    let node = this.root
    if (node === 0 || this.comparePrefix(bytes, start, limit) !== 0) return 0
    for (let level = this.height; level > 1; level--) {
      node = this.word(node, NODE_CHILDREN + this.childIndex(node, bytes, start, limit))
    }
    const index = this.slotIndex(node, bytes, start, limit)
    return index < 0 ? 0 : this.word(node, NODE_RECORDS + index)
  }

  /** Positions `into` before the first key at or after bytes[start…limit), or `after` it, past an equal one. Not when empty. */
  seek(bytes: Uint8Array, start: number, limit: number, after: boolean, into: TreePosition): void {
    const side = this.comparePrefix(bytes, start, limit)
    if (side !== 0) {
      if (side < 0) this.seekFirst(into)
      else this.seekEnd(into)
      return
    }
    let node = this.root
    for (let level = this.height; level > 1; level--) {
      node = this.word(node, NODE_CHILDREN + this.childIndex(node, bytes, start, limit))
    }
    const index = this.slotIndex(node, bytes, start, limit)
    into.leaf = node
    into.index = index < 0 ? ~index : after ? index + 1 : index
  }

  seekFirst(into: TreePosition): void {
    into.leaf = this.firstLeaf
    into.index = 0
  }

  seekEnd(into: TreePosition): void {
    into.leaf = this.lastLeaf
    into.index = this.word(this.lastLeaf, NODE_COUNT)
  }

  /** 0 where the key begins with `prefix`; else on which side of all keys it is. */
  comparePrefix(bytes: Uint8Array, start: number, limit: number): number {
    const prefix = this.prefix
    const length = prefix.length
    for (let index = 0; index < length; index++) {
      if (start + index === limit) return -1
      const difference = (bytes[start + index] as number) - (prefix[index] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** Which child of inner node `node` the key belongs to: the number of separators at or before it. */
  childIndex(node: number, bytes: Uint8Array, start: number, limit: number): number {
    const slot = this.slotIndex(node, bytes, start, limit)
    return slot < 0 ? ~slot : slot + 1
  }

  /** The slot of the key in `node`; where it is not there, the complement (`~`) of the slot it would have. */
  slotIndex(node: number, bytes: Uint8Array, start: number, limit: number): number {
    const words = this.#words[node >>> this.#shift] as Uint32Array
    const at = (node & this.#mask) << 1
    const count = words[at + NODE_COUNT] as number
    const records = at + NODE_RECORDS
    if (!this.bytewise) return this.#slotByOrder(words, records, 0, count, bytes, start, limit)
    const prefixLength = words[at + NODE_PREFIX_LENGTH] as number
    const from = start + prefixLength
    const head = headOf(bytes, from, limit) >>> 1
    const heads = at + NODE_HEADS
    // The search below waits for each cache line it needs before it knows the next. Asking for all eight at once makes
    // that one wait.
    this.touched =
      (words[heads] as number) |
      (words[heads + 16] as number) |
      (words[heads + 32] as number) |
      (words[heads + 48] as number) |
      (words[heads + 64] as number) |
      (words[heads + 80] as number) |
      (words[heads + 96] as number) |
      (words[heads + 112] as number)
    const slot = headsBefore(words, heads, count, head)
    if (slot === count || (words[heads + slot] as number) !== head) return ~slot
    const comparison = this.compareTail(bytes, from, limit, words[records + slot] as number, prefixLength)
    if (comparison === 0) return slot
    if (comparison < 0) return ~slot
    if (slot + 1 === count || (words[heads + slot + 1] as number) !== head) return ~(slot + 1)
    return this.#slotAmongTies(words, at, slot + 1, head, bytes, from, limit)
  }

  /** As `slotIndex`, among the slots from `low` on whose heads are `head`, by what follows it. */
  #slotAmongTies(
    words: Uint32Array,
    at: number,
    low: number,
    head: number,
    bytes: Uint8Array,
    from: number,
    limit: number,
  ): number {
    const prefixLength = words[at + NODE_PREFIX_LENGTH] as number
    const heads = at + NODE_HEADS + low
    let high = low + headsBefore(words, heads, (words[at + NODE_COUNT] as number) - low, head + 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      const record = words[at + NODE_RECORDS + middle] as number
      const comparison = this.compareTail(bytes, from, limit, record, prefixLength)
      if (comparison === 0) return middle
      if (comparison > 0) low = middle + 1
      else high = middle
    }
    return ~low
  }

  #slotByOrder(
    words: Uint32Array,
    records: number,
    low: number,
    high: number,
    bytes: Uint8Array,
    start: number,
    limit: number,
  ): number {
    while (low < high) {
      const middle = (low + high) >>> 1
      const comparison = this.#compare(bytes, start, limit, words[records + middle] as number)
      if (comparison === 0) return middle
      if (comparison > 0) low = middle + 1
      else high = middle
    }
    return ~low
  }

  /**
   * Order of bytes[from…limit) and what follows `prefixLength` bytes of the record's key, given that their heads tie:
   * what four bytes say, up to the last bit, is the same.
   */
  compareTail(bytes: Uint8Array, from: number, limit: number, record: number, prefixLength: number): number {
    const chunk = record >>> this.#shift
    const unit = record & this.#mask
    const other = this.#bytes[chunk] as Uint8Array
    const otherFrom = (unit << 3) + RECORD_BYTES + prefixLength
    const length = limit - from
    const otherLength = ((this.#words[chunk] as Uint32Array)[(unit << 1) + RECORD_KEY_LENGTH] as number) - prefixLength
    const shared = length < otherLength ? length : otherLength
    for (let index = shared < 4 ? 0 : 3; index < shared; index++) {
      const difference = (bytes[from + index] as number) - (other[otherFrom + index] as number)
      if (difference !== 0) return difference
    }
    return length - otherLength
  }

  /**
   * Puts `count` records of `leaf` from slot `index` on, forward (`step` 1) or backward (−1), and their newest versions,
   * into the window. Every record is a cache miss in a tree that is large; nothing here waits for one before it starts
   * the next.
   */
  gather(leaf: number, index: number, step: 1 | -1, count: number): void {
    const { windowRecords, windowVersions } = this
    const slots = this.#words[leaf >>> this.#shift] as Uint32Array
    const at = ((leaf & this.#mask) << 1) + NODE_RECORDS + index
    for (let done = 0; done < count; done++) {
      const record = slots[at + done * step] as number
      windowRecords[done] = record
      windowVersions[done] = this.word(record, RECORD_NEWEST)
    }
    // Every other key ends in another cache line than its record begins in.
    let touched = 0
    for (let done = 0; done < count; done++) {
      const record = windowRecords[done] as number
      touched |= this.word(record, KEY_WORD + (this.word(record, RECORD_KEY_LENGTH) >>> 2) - 1)
    }
    this.touched = touched
  }

  /** The newest version of `record` at or below `seqno`, or 0. */
  visibleVersion(record: number, seqno: number): number {
    return this.visibleFrom(this.word(record, RECORD_NEWEST), seqno)
  }

  /** The first at or below `seqno` of `version` and those before it, or 0. */
  visibleFrom(version: number, seqno: number): number {
    while (version !== 0 && this.seqnoOf(version) > seqno) version = this.word(version, VERSION_PREVIOUS)
    return version
  }

  seqnoOf(version: number): number {
    const words = this.#words[version >>> this.#shift] as Uint32Array
    const at = (version & this.#mask) << 1
    const low = words[at + VERSION_SEQNO_LOW] as number
    const high = (words[at + VERSION_SEQNO_HIGH] as number) & SEQNO_HIGH_MASK
    return high === 0 ? low : low + high * TWO_TO_32
  }

  /** The bytes a key lies in, at keyStart(record), keyLength(record). */
  chunkBytes(record: number): Uint8Array {
    return this.#bytes[record >>> this.#shift] as Uint8Array
  }

  keyStart(record: number): number {
    return ((record & this.#mask) << 3) + RECORD_BYTES
  }

  keyLength(record: number): number {
    return this.word(record, RECORD_KEY_LENGTH)
  }

  #compare(bytes: Uint8Array, start: number, limit: number, record: number): number {
    const otherStart = this.keyStart(record)
    return this.order.compare(
      bytes,
      start,
      limit,
      this.chunkBytes(record),
      otherStart,
      otherStart + this.keyLength(record),
    )
  }
}

/**
 * How many of `count` ascending heads are below `head`.
 *
 * Without a branch that could be mispredicted: the difference of two 31-bit numbers has its sign in bit 31.
 */
function headsBefore(words: Uint32Array, heads: number, count: number, head: number): number {
  let low = heads
  while (count > 1) {
    const half = count >>> 1
    low += half & (((words[low + half - 1] as number) - head) >> 31)
    count -= half
  }
  return low - heads + (count & (((words[low] as number) - head) >> 31))
}
