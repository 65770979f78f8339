/**
 * Fills an empty B+tree with many entries: records go to the arena as they come; `finish` sorts them in runs,
 * merges the runs and builds the tree above them.
 *
 * No key is searched for, and nothing is made for an entry but its record: keys and values go from the caller's bytes to
 * the arena by words.
 */

import { assert } from '../kernel/assert.ts'
import { copyOf, sharedPrefixLength } from '../kernel/bytes.ts'
import type { EntryKind } from '../kernel/entry.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { ArenaAllocator } from './arena-allocator.ts'
import { RUN_RECORDS_MAX, RunSorter } from './key-run.ts'
import type { KeyRun } from './key-run.ts'
import type { OrderedLoad } from './ordered-memtable.ts'
import { RunMerge } from './run-merge.ts'
import type { Tree } from './tree.ts'
import { BUILT_BYTES_PER_KEY, TreeBuilder } from './tree-builder.ts'
import { FIRST_VERSION_UNITS, RECORD_BYTES, RECORD_KEY_LENGTH, RECORD_NEWEST, writeVersion } from './tree-layout.ts'
import type { TreeReader } from './tree-reader.ts'

// What the first call of `finish` does, and what merging begins with. Each does twice as much as the one before, up to a
// whole run, which takes a millisecond or two: but not before it was compiled, on the way there.
const SLICE_RECORDS_MIN = 512
// Up to here copying words is faster than set(), which needs a view of its source as well.
const WORD_COPY_BYTES_MAX = 512
const NO_VIEW: DataView = new DataView(new ArrayBuffer(0))

export interface TreeLoadParts {
  readonly tree: Tree
  readonly allocator: ArenaAllocator
  readonly reader: TreeReader
}

interface Building {
  readonly merge: RunMerge
  readonly builder: TreeBuilder
}

export class TreeLoad implements OrderedLoad {
  readonly #parts: TreeLoadParts
  readonly #finished: () => void
  /** Records in order of arrival, as many as make a run in each array but the last. */
  readonly #arrived: Uint32Array[] = []
  #count = 0
  readonly #runs: KeyRun[] = []
  readonly #sorter: RunSorter
  /** The first key, and how many of its bytes all others begin with; with an order that is not bytewise it is taken for empty. */
  #firstKey: Uint8Array | undefined
  #sharedBytes = 0
  #keyLengthMax = 0
  /** The caller's bytes and the chunk that were seen last, and views to copy by words from one to the other. */
  #bytes: Uint8Array | undefined
  #source: DataView = NO_VIEW
  #words: Uint32Array | undefined
  #target: DataView = NO_VIEW
  /** How many records are in runs. */
  #sorted = 0
  #building: Building | undefined
  /** Records that the next call of `finish` sorts, or merges. */
  #slice = SLICE_RECORDS_MIN
  #finishing = false

  /** @param finished called when the tree has everything */
  constructor(parts: TreeLoadParts, finished: () => void) {
    this.#parts = parts
    this.#finished = finished
    this.#sorter = new RunSorter(parts.tree)
  }

  /** What nodes will take, at most, in bytes. */
  get bytesAhead(): number {
    return Math.ceil(this.#count * BUILT_BYTES_PER_KEY)
  }

  entry(
    kind: EntryKind,
    bytes: Uint8Array,
    keyStart: number,
    keyLimit: number,
    valueStart: number,
    valueLimit: number,
    seqno: Seqno,
  ): void {
    this.#noteSeqno(seqno)
    const { tree, allocator } = this.#parts
    const { view } = tree
    const keyLength = keyLimit - keyStart
    const valueLength = valueLimit - valueStart
    const record = allocator.allocate(RECORD_BYTES + keyLength + valueLength)
    const words = view.words[record >>> view.shift] as Uint32Array
    const at = (record & view.mask) << 1
    words[at + RECORD_NEWEST] = record + FIRST_VERSION_UNITS
    words[at + RECORD_KEY_LENGTH] = keyLength
    writeVersion(words, at + 2 * FIRST_VERSION_UNITS, 0, valueLength, seqno, kind)
    const to = (at << 2) + RECORD_BYTES
    this.#copy(bytes, keyStart, keyLength, words, to)
    this.#copy(bytes, valueStart, valueLength, words, to + keyLength)
    this.#noteKey(bytes, keyStart, keyLength)
    const place = this.#count++ & (RUN_RECORDS_MAX - 1)
    let arrived = this.#arrived[this.#arrived.length - 1]
    if (arrived === undefined || place === 0 || place === arrived.length) arrived = this.#room(place)
    arrived[place] = record
  }

  deleteRange(lower: KeyCut, upper: KeyCut, seqno: Seqno): void {
    this.#noteSeqno(seqno)
    this.#parts.reader.rangeTombstones.add(lower, upper, seqno)
  }

  finish(): boolean {
    this.#finishing = true
    let left = this.#slice
    this.#slice = Math.min(left * 2, RUN_RECORDS_MAX)
    while (this.#sorted < this.#count) {
      left -= this.#sortRun()
      if (left <= 0) return false
    }
    if (this.#count > 0) {
      const { merge, builder } = (this.#building ??= this.#begin())
      if (merge.take(left, builder)) return false
      builder.finish()
      this.#parts.reader.keyCount = builder.keyCount
    }
    this.#finished()
    return true
  }

  /** Sorts no more than have been sorted already, so that runs grow as slices do. @returns how many records it sorted */
  #sortRun(): number {
    const start = this.#sorted
    const arrived = this.#arrived[Math.floor(start / RUN_RECORDS_MAX)] as Uint32Array
    const count = Math.min(this.#count - start, Math.max(start, SLICE_RECORDS_MIN), RUN_RECORDS_MAX)
    const from = start & (RUN_RECORDS_MAX - 1)
    this.#runs.push(this.#sorter.sort(arrived.subarray(from, from + count), count, this.#sharedBytes))
    this.#sorted += count
    return count
  }

  #begin(): Building {
    const { tree, allocator } = this.#parts
    const merge = new RunMerge(tree, this.#runs, this.#sharedBytes)
    const builder = new TreeBuilder(tree, allocator, merge.ends, this.#sharedBytes, this.#keyLengthMax)
    this.#slice = SLICE_RECORDS_MIN
    return { merge, builder }
  }

  #noteSeqno(seqno: Seqno): void {
    const { reader } = this.#parts
    assert(!this.#finishing, 'nothing can be loaded after finish')
    assert(seqno > reader.seqnoLast, 'seqno does not grow')
    if (reader.count === 0) reader.seqnoFirst = seqno
    reader.count++
    reader.seqnoLast = seqno
  }

  /** @param at where the key begins in `bytes` */
  #noteKey(bytes: Uint8Array, at: number, length: number): void {
    if (length > this.#keyLengthMax) this.#keyLengthMax = length
    const first = this.#firstKey
    if (first === undefined) {
      const limit = this.#parts.tree.bytewise ? at + length : at
      this.#firstKey = copyOf(bytes, at, limit)
      this.#sharedBytes = this.#firstKey.length
    } else {
      const shared = this.#sharedBytes
      if (shared > 0 && (length < shared || !beginsWith(bytes, at, first, shared)))
        this.#sharedBytes = sharedPrefixLength(bytes, at, at + length, first, 0, shared)
    }
  }

  /** An array for the record that comes to `place` of it. Most logs that are replayed are short: the first begins small. */
  #room(place: number): Uint32Array {
    const records = new Uint32Array(this.#count === 1 ? SLICE_RECORDS_MIN : RUN_RECORDS_MAX)
    if (place > 0) records.set(this.#arrived.pop() as Uint32Array)
    this.#arrived.push(records)
    return records
  }

  /** Copies to byte `to` of the chunk that `words` are of. */
  #copy(bytes: Uint8Array, start: number, length: number, words: Uint32Array, to: number): void {
    if (length > WORD_COPY_BYTES_MAX) {
      new Uint8Array(words.buffer).set(bytes.subarray(start, start + length), to)
      return
    }
    if (bytes !== this.#bytes) this.#lookAt(bytes)
    if (words !== this.#words) {
      this.#words = words
      this.#target = new DataView(words.buffer)
    }
    const source = this.#source
    const target = this.#target
    const from = bytes.byteOffset + start
    let at = 0
    for (; at + 16 <= length; at += 16) {
      target.setUint32(to + at, source.getUint32(from + at, true), true)
      target.setUint32(to + at + 4, source.getUint32(from + at + 4, true), true)
      target.setUint32(to + at + 8, source.getUint32(from + at + 8, true), true)
      target.setUint32(to + at + 12, source.getUint32(from + at + 12, true), true)
    }
    for (; at + 4 <= length; at += 4) target.setUint32(to + at, source.getUint32(from + at, true), true)
    for (; at < length; at++) target.setUint8(to + at, source.getUint8(from + at))
  }

  #lookAt(bytes: Uint8Array): void {
    this.#bytes = bytes
    // Groups of one read of the journal are parts of one buffer.
    if (this.#source.buffer !== bytes.buffer) this.#source = new DataView(bytes.buffer)
  }
}

/** Backwards: the last byte is the first to differ. */
function beginsWith(bytes: Uint8Array, start: number, prefix: Uint8Array, length: number): boolean {
  for (let index = length - 1; index >= 0; index--) if (bytes[start + index] !== prefix[index]) return false
  return true
}
