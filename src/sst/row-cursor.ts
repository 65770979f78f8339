/**
 * A cursor over one row table.
 *
 * Where a table has no second versions and nothing above the seqno, which is what compaction makes of most data, entries
 * are copied in runs; otherwise they are looked at one by one. Missing blocks are read in pieces that grow while the
 * cursor goes on: neighbours are decoded when their turn comes.
 */

import { abortable } from '../kernel/abortable.ts'
import type { Cursor, CursorOptions, Pending } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { VarveError } from '../kernel/errors.ts'
import { SEQNO_MAX } from '../kernel/ids.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import { KIB } from '../kernel/limits.ts'
import { KeyScratch } from './key-scratch.ts'
import { isLarge } from './large-blocks.ts'
import type { RowBlock } from './row-block.ts'
import { copyEntries } from './row-block-copy.ts'
import { isKeyAt, isSameKey, searchBlock, searchBlockBy } from './row-block-search.ts'
import type { RowMeta } from './row-meta.ts'
import type { RowTableReader } from './row-reader.ts'
import { blockSpan, readAheadSpan } from './row-span.ts'

// A point cursor may end after a few entries: it reads one block, then twice as much with every read that follows.
const POINT_BYTES_FIRST = 1
const POINT_BYTES_NEXT = 16 * KIB
const POINT_BYTES_MAX = 128 * KIB
// A stream goes on to the end: a few dozen blocks for one round trip, without holding more than that per input of a merge.
const STREAM_BYTES_FIRST = 128 * KIB
const STREAM_BYTES_MAX = 256 * KIB
// Of so many blocks, which take 0.3 ms, the next is awaited though it be in memory: whoever reads files lets the loop turn.
const NOW_COUNT_MAX = 16

/** Seqno below every entry's: a search for it ends after all versions of a key. */
const BEFORE_FIRST = -1

export class RowCursor implements Cursor {
  readonly #table: RowTableReader
  readonly #options: CursorOptions
  readonly #stream: boolean
  readonly #step: 1 | -1
  #state: 'new' | 'running' | 'done' | 'closed' = 'new'
  #meta: RowMeta | undefined = undefined
  /** Runs of entries may be copied as they lie. */
  #plain = false
  /** First and last block of the range, in the direction of travel. */
  #blockFirst = 0
  #blockLast = 0
  /** The block the cursor is in or comes to next. */
  #number = 0
  #block: RowBlock | undefined = undefined
  /** Next entry, and the first one in the direction of travel that is not to be visited. */
  #at = 0
  #end = 0

  /** Stored bytes of blocks [#spanFirst, #spanLimit) read ahead. */
  #span: Uint8Array | undefined = undefined
  /**
   * A stream reads every span into the same memory. Anew each time, spans live just long enough to be taken for old: a
   * merge of five tables had 21 MiB of them at its worst.
   */
  #spanMemory: Uint8Array | undefined = undefined
  #spanFirst = 0
  #spanLimit = 0
  #spanBytes: number
  /** Blocks read without waiting since the last `fill`. */
  #nowCount = 0

  /** Key of the entry visited last in another block, to notice its versions here. −1: none. */
  readonly #lastKey = new KeyScratch()
  #lastKeyLength = -1
  /** Forward: a version of the current key has been taken. */
  #taken = false
  /** Backward: the newest visible version of the current key so far. */
  #candidateBlock: RowBlock | undefined = undefined
  #candidateAt = 0

  constructor(table: RowTableReader, options: CursorOptions, intent: 'point' | 'stream') {
    if (options.reverse && options.versions === 'all') throw new TypeError("a reverse cursor needs versions: 'newest'")
    this.#table = table
    this.#options = options
    this.#stream = intent === 'stream'
    this.#step = options.reverse ? -1 : 1
    this.#spanBytes = this.#stream ? STREAM_BYTES_FIRST : POINT_BYTES_FIRST
  }

  next(into: EntryBatch): number | Pending {
    into.clear()
    if (this.#state === 'done' && this.#candidateBlock === undefined) return 0
    if (this.#state === 'closed') throw new VarveError('CLOSED', 'the cursor is closed')
    if (this.#state === 'new' && !this.#start()) return PENDING
    while (this.#state === 'running' && !into.full) {
      const block = this.#block
      if (block === undefined) {
        if (!this.#enter(into.count > 0)) return into.count > 0 ? into.count : PENDING
        continue
      }
      if (this.#plain) this.#copyRun(block, into)
      else if (this.#step === 1) this.#visitForward(block, into)
      else this.#visitBackward(block, into)
      if (this.#at === this.#end) this.#leave(block)
    }
    // Going backward, the last key's newest version is known only once the range has ended.
    if (this.#state === 'done' && this.#candidateBlock !== undefined) this.#emitCandidate(into)
    return into.count
  }

  async fill(signal?: AbortSignal): Promise<void> {
    this.#nowCount = 0
    if (this.#state === 'new') {
      await abortable(this.#table.load(), signal)
    } else if (this.#isLacking()) {
      const { first, limit } = this.#spanToRead()
      const into = this.#stream ? { into: this.#memoryFor(first, limit) } : {}
      const bytes = await this.#table.blocks.read(first, limit, signal === undefined ? into : { ...into, signal })
      if (this.#isLacking()) this.#takeSpan(first, limit, bytes)
    }
  }

  fillSync(): void {
    this.#nowCount = 0
    if (this.#state === 'new') {
      this.#table.loadSync()
    } else if (this.#isLacking()) {
      const { first, limit } = this.#spanToRead()
      this.#takeSpan(first, limit, this.#table.blocks.readSync(first, limit))
    }
  }

  close(): void {
    this.#state = 'closed'
    this.#release()
    this.#dropCandidate()
  }

  /** Finds the blocks of the range. False when the meta is not there. */
  #start(): boolean {
    const meta = this.#table.meta
    if (meta === undefined) return false
    this.#meta = meta
    const { range, versions, seqno } = this.#options
    const properties = meta.properties
    this.#plain = seqno >= properties.seqnoLast && (versions === 'all' || properties.keyCount === properties.entryCount)
    this.#state = 'running'
    const { first, limit } = isEmptyRange(range, this.#table.order)
      ? { first: 0, limit: 0 }
      : blockSpan(meta.index, range)
    if (first >= limit) {
      this.#finish()
      return true
    }
    this.#blockFirst = this.#step === 1 ? first : limit - 1
    this.#blockLast = this.#step === 1 ? limit - 1 : first
    this.#number = this.#blockFirst
    return true
  }

  /** Takes the next block and finds the part of it that is in the range. False when its bytes are not at hand. */
  #enter(produced: boolean): boolean {
    const number = this.#number
    let block = this.#table.blocks.cached(number, !this.#stream)
    if (block === undefined) {
      try {
        block = this.#isLacking()
          ? this.#blockNow(number)
          : this.#table.blocks.decode(number, this.#storedOf(number), !this.#stream)
      } catch (error) {
        // What has been produced goes out first; the next call comes here again.
        if (produced) return false
        throw error
      }
      if (block === undefined) return false
    }
    const { lower, lowerOpen, upper, upperOpen } = this.#options.range
    let first = 0
    let limit = block.count
    const forward = this.#step === 1
    if (lower !== undefined && number === (forward ? this.#blockFirst : this.#blockLast)) {
      first = this.#search(block, lower, lowerOpen === true ? BEFORE_FIRST : SEQNO_MAX)
    }
    if (upper !== undefined && number === (forward ? this.#blockLast : this.#blockFirst)) {
      limit = Math.max(first, this.#search(block, upper, upperOpen === true ? SEQNO_MAX : BEFORE_FIRST))
    }
    block.use()
    this.#block = block
    this.#at = forward ? first : limit - 1
    this.#end = forward ? limit : first - 1
    if (this.#at === this.#end) this.#leave(block)
    return true
  }

  /**
   * Block `number`, where the system has it in memory. A short scan thus awaits nothing: by way of `fill` every block is eight
   * promises and memory of its own (docs/performance-notes.md has what it brought).
   */
  #blockNow(number: number): RowBlock | undefined {
    if (this.#stream) return undefined
    if (!isLarge((this.#meta as RowMeta).index.decodedLengths[number] as number)) {
      if (this.#nowCount === NOW_COUNT_MAX) return undefined
      this.#nowCount++
    }
    return this.#table.blocks.scannedNow(number)
  }

  /** Of a block that has been read ahead. */
  #storedOf(number: number): Uint8Array {
    const offsets = (this.#meta as RowMeta).index.offsets
    const base = offsets[this.#spanFirst] as number
    return (this.#span as Uint8Array).subarray(
      (offsets[number] as number) - base,
      (offsets[number + 1] as number) - base,
    )
  }

  #search(block: RowBlock, key: Uint8Array, seqno: number): number {
    const order = this.#table.order
    // The scratch holds the last key of another block, which a search in another order must not overwrite.
    return order.bytewise ? searchBlock(block, key, seqno) : searchBlockBy(block, order, key, seqno, new KeyScratch())
  }

  #leave(block: RowBlock): void {
    if (!this.#plain) {
      const last = this.#end - this.#step
      if (last >= 0 && last < block.count) this.#lastKeyLength = block.keyInto(last, this.#lastKey)
    }
    block.leave()
    this.#block = undefined
    if (this.#number === this.#blockLast) this.#finish()
    else this.#number += this.#step
  }

  #copyRun(block: RowBlock, into: EntryBatch): void {
    const count = Math.min((this.#end - this.#at) * this.#step, into.capacity - into.count)
    copyEntries(block, this.#at, count, this.#step, into)
    this.#at += count * this.#step
  }

  #visitForward(block: RowBlock, into: EntryBatch): void {
    const { seqno, versions } = this.#options
    const all = versions === 'all'
    for (; this.#at !== this.#end && !into.full; this.#at++) {
      if (!all && !this.#continuesKey(block)) this.#taken = false
      if (this.#taken || block.seqnoAt(this.#at) > seqno) continue
      copyEntries(block, this.#at, 1, 1, into)
      this.#taken = !all
    }
  }

  #visitBackward(block: RowBlock, into: EntryBatch): void {
    const seqno = this.#options.seqno
    for (; this.#at !== this.#end && !into.full; this.#at--) {
      if (this.#candidateBlock !== undefined && !this.#continuesKey(block)) this.#emitCandidate(into)
      if (into.full) return
      if (block.seqnoAt(this.#at) > seqno) continue
      this.#dropCandidate()
      block.use()
      this.#candidateBlock = block
      this.#candidateAt = this.#at
    }
  }

  #emitCandidate(into: EntryBatch): void {
    if (into.full) return
    const block = this.#candidateBlock as RowBlock
    copyEntries(block, this.#candidateAt, 1, 1, into)
    this.#dropCandidate()
  }

  #dropCandidate(): void {
    this.#candidateBlock?.leave()
    this.#candidateBlock = undefined
  }

  /** True when the entry at hand has the key of the one visited before it. */
  #continuesKey(block: RowBlock): boolean {
    const before = this.#at - this.#step
    if (before >= 0 && before < block.count) return isSameKey(block, before, this.#at)
    if (this.#lastKeyLength < 0) return false
    return isKeyAt(block, this.#at, this.#lastKey.bytes.subarray(0, this.#lastKeyLength))
  }

  #isLacking(): boolean {
    if (this.#state !== 'running' || this.#block !== undefined) return false
    return this.#span === undefined || this.#number < this.#spanFirst || this.#number >= this.#spanLimit
  }

  #spanToRead(): { readonly first: number; readonly limit: number } {
    return readAheadSpan((this.#meta as RowMeta).index, this.#number, this.#blockLast, this.#step, this.#spanBytes)
  }

  #memoryFor(first: number, limit: number): Uint8Array {
    const { offsets } = (this.#meta as RowMeta).index
    const length = (offsets[limit] as number) - (offsets[first] as number)
    if (this.#spanMemory === undefined || this.#spanMemory.length < length) this.#spanMemory = new Uint8Array(length)
    // No longer what it was, from here on.
    this.#span = undefined
    return this.#spanMemory
  }

  #takeSpan(first: number, limit: number, bytes: Uint8Array): void {
    this.#span = bytes
    this.#spanFirst = first
    this.#spanLimit = limit
    const bytesMax = this.#stream ? STREAM_BYTES_MAX : POINT_BYTES_MAX
    this.#spanBytes = Math.min(bytesMax, Math.max(POINT_BYTES_NEXT, this.#spanBytes * 2))
  }

  #finish(): void {
    this.#state = 'done'
    this.#release()
  }

  /** All but the candidate. */
  #release(): void {
    this.#block?.leave()
    this.#block = undefined
    this.#span = undefined
    this.#spanMemory = undefined
  }
}
