/**
 * A reused batch of entries: what cursors fill and merges, writers and scans consume.
 *
 *      entry i    keys   [keyStarts[i] … keyStarts[i + 1])      copied: blocks may store keys in pieces
 *                 value  blocks[valueBlocks[i]] [valueStarts[i] … + valueLengths[i])      borrowed
 *                 heads[i]   first four bytes of the key, see headOf()
 *                 seqnos[i], kinds[i]
 *
 * Numbers in typed arrays and values by reference: no object per entry, no call per entry (a megamorphic call costs
 * 9 ns). Entries are valid until the cursor that filled the batch is asked again or closed.
 */

import { assert } from './assert.ts'
import { copyOf, headOf } from './bytes.ts'
import type { Lease } from './lease.ts'

const ENTRY_BATCH_CAPACITY = 256
/** There is always room for so many bytes behind the last key: a copy may end with a whole word, a head is one read. */
const SPARE_BYTES = 4
const RECENT_BLOCKS = 8
// Up to here copying words is faster than set(), which needs a view of its source as well.
const WORD_COPY_BYTES_MAX = 256

/** How the table that an entry is from has it, for a writer of the same format: nobody else knows what is in it. */
export interface EntryForm {
  /** Bytes of a file, its checksum verified. */
  readonly stored: Uint8Array
}

/** Up to `capacity` entries. Belongs to whoever made it; a cursor writes into it only within `next`. */
export class EntryBatch {
  /** Entries it was made for. */
  readonly capacityMax: number
  /** Entries at most, for now: see `limitTo`. */
  capacity: number
  /** Entries now. */
  count = 0
  /** Key bytes of all entries, back to back. Replaced when it has to grow. */
  keys: Uint8Array
  /** The same bytes, for copying and comparing four at a time. Replaced with `keys`. */
  keyView: DataView
  /** capacity + 1 offsets into `keys`. */
  readonly keyStarts: Uint32Array
  /** u32 for each entry: the first four bytes of its key, as `headOf` gives them. */
  readonly heads: Uint32Array
  /** Of each entry, an integer below 2^53. */
  readonly seqnos: Float64Array
  /** An `EntryKind` for each entry. */
  readonly kinds: Uint8Array
  /** What values point into. */
  readonly blocks: Uint8Array[] = []
  /** For each of them: 1 where nobody else has it, nor will, so that its one value may be given away as it lies. */
  readonly blockOwned: Uint8Array
  /** For each of them: what is to be left when the batch forgets it. */
  readonly #leases: (Lease | undefined)[] = []
  /** By entry; few have one, and mostly none. */
  readonly #forms: (EntryForm | undefined)[] = []
  /** For each entry, the index in `blocks` of what its value is in. */
  readonly valueBlocks: Uint16Array
  /** Where the value begins in its block, in bytes. */
  readonly valueStarts: Uint32Array
  /** Length of the value, in bytes; 0 for a deletion. */
  readonly valueLengths: Uint32Array

  /** @param capacity entries, 1 … 65,535; default 256 */
  constructor(capacity: number = ENTRY_BATCH_CAPACITY) {
    assert(capacity > 0 && capacity < 0x10000, 'capacity must be 1 … 65535')
    this.capacityMax = capacity
    this.capacity = capacity
    this.keys = new Uint8Array(capacity * 32 + SPARE_BYTES)
    this.keyView = new DataView(this.keys.buffer)
    this.keyStarts = new Uint32Array(capacity + 1)
    this.heads = new Uint32Array(capacity)
    this.seqnos = new Float64Array(capacity)
    this.kinds = new Uint8Array(capacity)
    this.blockOwned = new Uint8Array(capacity)
    this.valueBlocks = new Uint16Array(capacity)
    this.valueStarts = new Uint32Array(capacity)
    this.valueLengths = new Uint32Array(capacity)
  }

  /** No further entry may be pushed. */
  get full(): boolean {
    return this.count === this.capacity
  }

  /** Counts as full at `count` entries, or at all it was made for, until told otherwise: for who wants only a few. */
  limitTo(count: number): void {
    this.capacity = count < this.capacityMax ? count : this.capacityMax
  }

  /** Forgets all entries and lets go of their blocks. */
  clear(): void {
    this.count = 0
    this.blocks.length = 0
    if (this.#forms.length > 0) this.#forms.length = 0
    const leases = this.#leases
    for (let index = 0; index < leases.length; index++) leases[index]?.leave()
    leases.length = 0
  }

  /**
   * Index of `block` in `blocks`, added unless it was the last one named.
   *
   * @param lease of memory that would be used again: the batch has it until it forgets the block
   */
  block(block: Uint8Array, owned = false, lease?: Lease): number {
    const last = this.blocks.length - 1
    if (last >= 0 && this.blocks[last] === block) return last
    return this.#pushBlock(block, owned ? 1 : 0, lease)
  }

  /**
   * Makes room for a key of `length` bytes and returns where it starts; the caller writes it there, and up to three bytes
   * more, then calls `push`.
   */
  reserveKey(length: number): number {
    const start = this.keyStarts[this.count] as number
    const needed = start + length
    if (needed + SPARE_BYTES > this.keys.length) {
      const grown = new Uint8Array(Math.max(needed + SPARE_BYTES, this.keys.length * 2))
      grown.set(this.keys.subarray(0, start))
      this.keys = grown
      this.keyView = new DataView(grown.buffer)
    }
    return start
  }

  /** Adds the entry whose key of `keyLength` bytes was written at `reserveKey()`. Not when full. */
  push(
    keyLength: number,
    seqno: number,
    kind: number,
    valueBlock: number,
    valueStart: number,
    valueLength: number,
  ): void {
    const index = this.count
    const start = this.keyStarts[index] as number
    const limit = start + keyLength
    this.keyStarts[index + 1] = limit
    this.heads[index] = keyLength >= 4 ? this.keyView.getUint32(start) : headOf(this.keys, start, limit)
    this.seqnos[index] = seqno
    this.kinds[index] = kind
    this.valueBlocks[index] = valueBlock
    this.valueStarts[index] = valueStart
    this.valueLengths[index] = valueLength
    this.count = index + 1
  }

  /** Of entry `index`, if it has one; as long-lived as the entry. */
  formAt(index: number): EntryForm | undefined {
    return this.#forms[index]
  }

  /** For entry `index`, which has been pushed or will be. `form` lives for as long as the block of its value. */
  setForm(index: number, form: EntryForm): void {
    while (this.#forms.length < index) this.#forms.push(undefined)
    this.#forms[index] = form
  }

  /** Copies entry `index` of `source` to the end of this batch. Not when full. */
  pushFrom(source: EntryBatch, index: number): void {
    this.#takeForms(source, index, index + 1)
    const start = source.keyStarts[index] as number
    const length = (source.keyStarts[index + 1] as number) - start
    const target = this.reserveKey(length)
    this.#copyKeys(source, start, length, target)
    const from = source.valueBlocks[index] as number
    const block = this.block(source.blocks[from] as Uint8Array, source.blockOwned[from] === 1, source.#leases[from])
    this.push(
      length,
      source.seqnos[index] as number,
      source.kinds[index] as number,
      block,
      source.valueStarts[index] as number,
      source.valueLengths[index] as number,
    )
  }

  /** Copies entries [start, limit) of `source`, in one go, to the end of this batch. There must be room for them. */
  pushRange(source: EntryBatch, start: number, limit: number): void {
    this.#takeForms(source, start, limit)
    const firstByte = source.keyStarts[start] as number
    const keyBytes = (source.keyStarts[limit] as number) - firstByte
    const target = this.reserveKey(keyBytes)
    this.#copyKeys(source, firstByte, keyBytes, target)
    const shift = target - firstByte
    // Runs are short where sources alternate: each array is looked up once, before the loop.
    const { keyStarts, heads, seqnos, kinds, valueBlocks, valueStarts, valueLengths } = this
    const fromKeyStarts = source.keyStarts
    const fromHeads = source.heads
    const fromSeqnos = source.seqnos
    const fromKinds = source.kinds
    const fromBlocks = source.blocks
    const fromLeases = source.#leases
    const fromValueBlocks = source.valueBlocks
    const fromValueStarts = source.valueStarts
    const fromValueLengths = source.valueLengths
    let count = this.count
    for (let index = start; index < limit; index++, count++) {
      keyStarts[count + 1] = (fromKeyStarts[index + 1] as number) + shift
      heads[count] = fromHeads[index] as number
      seqnos[count] = fromSeqnos[index] as number
      kinds[count] = fromKinds[index] as number
      const from = fromValueBlocks[index] as number
      const owned = source.blockOwned[from] as number
      valueBlocks[count] = this.#recentBlock(fromBlocks[from] as Uint8Array, owned, fromLeases[from])
      valueStarts[count] = fromValueStarts[index] as number
      valueLengths[count] = fromValueLengths[index] as number
    }
    this.count = count
  }

  /** Of entries that are pushed next. */
  #takeForms(source: EntryBatch, start: number, limit: number): void {
    const forms = source.#forms
    const stop = forms.length < limit ? forms.length : limit
    for (let index = start; index < stop; index++) {
      const form = forms[index]
      if (form !== undefined) this.setForm(this.count + index - start, form)
    }
  }

  /** As `block`, for sources that alternate: looks at the last few. */
  #recentBlock(block: Uint8Array, owned: number, lease: Lease | undefined): number {
    const blocks = this.blocks
    const stop = blocks.length > RECENT_BLOCKS ? blocks.length - RECENT_BLOCKS : 0
    for (let index = blocks.length - 1; index >= stop; index--) if (blocks[index] === block) return index
    return this.#pushBlock(block, owned, lease)
  }

  #pushBlock(block: Uint8Array, owned: number, lease: Lease | undefined): number {
    const index = this.blocks.push(block) - 1
    this.blockOwned[index] = owned
    this.#leases.push(lease)
    lease?.use()
    return index
  }

  /** Copies key bytes, up to three more than asked for. */
  #copyKeys(source: EntryBatch, from: number, length: number, to: number): void {
    if (length > WORD_COPY_BYTES_MAX) {
      this.keys.set(source.keys.subarray(from, from + length), to)
      return
    }
    const view = this.keyView
    const sourceView = source.keyView
    for (let at = 0; at < length; at += 4) view.setUint32(to + at, sourceView.getUint32(from + at))
  }

  /** A copy of key `index`. */
  keyAt(index: number): Uint8Array {
    return copyOf(this.keys, this.keyStarts[index], this.keyStarts[index + 1])
  }

  /** A view of value `index`, as long-lived as the entry. */
  valueViewAt(index: number): Uint8Array {
    const block = this.blocks[this.valueBlocks[index] as number] as Uint8Array
    const start = this.valueStarts[index] as number
    return block.subarray(start, start + (this.valueLengths[index] as number))
  }

  /** A copy of value `index`, never shared memory. */
  valueAt(index: number): Uint8Array {
    const view = this.valueViewAt(index)
    const copy = new Uint8Array(view.length)
    copy.set(view)
    return copy
  }
}
