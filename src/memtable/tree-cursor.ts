/**
 * Entries of a B+tree in order, in either direction.
 *
 * A cursor stands between two slots and knows where it will stop, so that no key is compared on the way. Inserting a
 * key moves slots: the cursor then seeks again, past the last record it returned. Records never move.
 */

import { assert } from '../kernel/assert.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import { KIB } from '../kernel/limits.ts'
import { TREE_WINDOW } from './tree.ts'
import type { Tree, TreePosition } from './tree.ts'
import {
  FIRST_VERSION_UNITS,
  KIND_SHIFT,
  NODE_BEFORE,
  NODE_COUNT,
  NODE_NEXT,
  RECORD_BYTES,
  RECORD_KEY_LENGTH,
  SEQNO_HIGH_MASK,
  TWO_TO_32,
  VERSION_BYTES,
  VERSION_PREVIOUS,
  VERSION_SEQNO_HIGH,
  VERSION_SEQNO_LOW,
  VERSION_VALUE_LENGTH,
} from './tree-layout.ts'

/** A batch with this many key bytes counts as full, so that long keys do not make it huge. */
const BATCH_KEY_BYTES_MAX = 256 * KIB
// Up to here copying words is faster than set(), which needs a view of its source as well.
const WORD_COPY_BYTES_MAX = 256
/** Words in the arena have the byte order of the machine. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

export class TreeCursor implements Cursor {
  readonly #tree: Tree
  readonly #options: CursorOptions
  /** Where the cursor stands, and where it stops. In reverse it visits the slot before where it stands. */
  readonly #at: TreePosition = { leaf: 0, index: 0 }
  readonly #stop: TreePosition = { leaf: 0, index: 0 }
  /** `tree.changes` when those two were found. */
  #changes = -1
  /** The last record returned, or 0. */
  #last = 0
  /** A version of it that comes next, because the batch was full, or 0. */
  #version = 0
  #ended: boolean
  #closed = false

  /** @throws {TypeError} `reverse` with `versions: 'all'` */
  constructor(tree: Tree, options: CursorOptions) {
    if (options.reverse && options.versions === 'all') throw new TypeError("reverse needs versions: 'newest'")
    this.#tree = tree
    this.#options = options
    this.#ended = isEmptyRange(options.range, tree.order)
  }

  next(into: EntryBatch): number {
    assert(!this.#closed, 'cursor used after close')
    into.clear()
    if (this.#ended) return 0
    if (this.#changes !== this.#tree.changes && !this.#locate()) return this.#end()
    if (this.#options.reverse) this.#backward(into)
    else this.#forward(into)
    return into.count === 0 ? this.#end() : into.count
  }

  async fill(): Promise<void> {}

  fillSync(): void {}

  close(): void {
    this.#closed = true
  }

  #end(): number {
    this.#ended = true
    return 0
  }

  /** Finds both positions anew. False in an empty tree. */
  #locate(): boolean {
    const tree = this.#tree
    if (tree.root === 0) return false
    const { range, reverse } = this.#options
    const start = reverse ? this.#stop : this.#at
    const limit = reverse ? this.#at : this.#stop
    const { lower, upper } = range
    if (this.#last !== 0 && !reverse) this.#seekLast(true, start)
    else if (lower === undefined) tree.seekFirst(start)
    else tree.seek(lower, 0, lower.length, range.lowerOpen === true, start)
    if (this.#last !== 0 && reverse) this.#seekLast(false, limit)
    else if (upper === undefined) tree.seekEnd(limit)
    else tree.seek(upper, 0, upper.length, range.upperOpen !== true, limit)
    this.#changes = tree.changes
    return true
  }

  #seekLast(after: boolean, into: TreePosition): void {
    const tree = this.#tree
    const start = tree.keyStart(this.#last)
    tree.seek(tree.chunkBytes(this.#last), start, start + tree.keyLength(this.#last), after, into)
  }

  #forward(into: EntryBatch): void {
    const tree = this.#tree
    const at = this.#at
    const stop = this.#stop
    if (this.#version !== 0) this.#version = this.#pushVersions(into, this.#last, this.#version)
    while (!isFull(into)) {
      const limit = at.leaf === stop.leaf ? stop.index : tree.word(at.leaf, NODE_COUNT)
      const count = Math.min(limit - at.index, into.capacity - into.count, TREE_WINDOW)
      if (count > 0) {
        tree.gather(at.leaf, at.index, 1, count)
        at.index += this.#pushWindow(into, count)
      } else if (at.leaf === stop.leaf) return
      else {
        at.leaf = tree.word(at.leaf, NODE_NEXT)
        at.index = 0
      }
    }
  }

  #backward(into: EntryBatch): void {
    const tree = this.#tree
    const at = this.#at
    const stop = this.#stop
    while (!isFull(into)) {
      const limit = at.leaf === stop.leaf ? stop.index : 0
      const count = Math.min(at.index - limit, into.capacity - into.count, TREE_WINDOW)
      if (count > 0) {
        tree.gather(at.leaf, at.index - 1, -1, count)
        at.index -= this.#pushWindow(into, count)
      } else if (at.leaf === stop.leaf) return
      else {
        at.leaf = tree.word(at.leaf, NODE_BEFORE)
        at.index = tree.word(at.leaf, NODE_COUNT)
      }
    }
  }

  /** Adds what is visible of the `count` records that were gathered; returns how many of them are done with. */
  #pushWindow(into: EntryBatch, count: number): number {
    const tree = this.#tree
    const { windowRecords, windowVersions } = tree
    const seqno = this.#options.seqno
    const all = this.#options.versions === 'all'
    for (let index = 0; index < count; index++) {
      const record = windowRecords[index] as number
      const version = tree.visibleFrom(windowVersions[index] as number, seqno)
      if (version === 0) continue
      this.#last = record
      if (!all) push(tree, into, record, version)
      else {
        this.#version = this.#pushVersions(into, record, version)
        if (isFull(into)) return index + 1
      }
    }
    return count
  }

  /** Adds `version` and those before it while there is room; returns the first that found none, or 0. */
  #pushVersions(into: EntryBatch, record: number, version: number): number {
    while (version !== 0 && !isFull(into)) {
      push(this.#tree, into, record, version)
      version = this.#tree.word(version, VERSION_PREVIOUS)
    }
    return version
  }
}

function isFull(batch: EntryBatch): boolean {
  const count = batch.count
  return count === batch.capacity || (batch.keyStarts[count] as number) >= BATCH_KEY_BYTES_MAX
}

function push(tree: Tree, into: EntryBatch, record: number, version: number): void {
  const { view } = tree
  const { shift, mask } = view
  const recordWords = view.words[record >>> shift] as Uint32Array
  const recordAt = (record & mask) << 1
  const keyLength = recordWords[recordAt + RECORD_KEY_LENGTH] as number
  const start = into.reserveKey(keyLength)
  const keyWords = recordAt + RECORD_BYTES / 4
  const keyStart = keyWords << 2
  if (keyLength <= WORD_COPY_BYTES_MAX) {
    const keyView = into.keyView
    for (let at = 0; at < keyLength; at += 4) {
      keyView.setUint32(start + at, recordWords[keyWords + (at >>> 2)] as number, LITTLE_ENDIAN)
    }
  } else into.keys.set((view.bytes[record >>> shift] as Uint8Array).subarray(keyStart, keyStart + keyLength), start)

  const chunk = version >>> shift
  const unit = version & mask
  const words = view.words[chunk] as Uint32Array
  const at = unit << 1
  const high = words[at + VERSION_SEQNO_HIGH] as number
  into.push(
    keyLength,
    (words[at + VERSION_SEQNO_LOW] as number) + (high & SEQNO_HIGH_MASK) * TWO_TO_32,
    high >>> KIND_SHIFT,
    into.block(view.bytes[chunk] as Uint8Array),
    version === record + FIRST_VERSION_UNITS ? keyStart + keyLength : (unit << 3) + VERSION_BYTES,
    words[at + VERSION_VALUE_LENGTH] as number,
  )
}
