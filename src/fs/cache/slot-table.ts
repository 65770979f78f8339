/** Which slot holds what, which are free, and which is evicted next: the one that was not used for the longest time. */

import { assert } from '../../kernel/assert.ts'
import type { FileName } from '../../kernel/ids.ts'
import type { SlotContent } from './slot-record.ts'

/** A place for one chunk. The cache changes it; others read. */
export interface Slot {
  /** Place in the file of chunks, from 0 on. */
  readonly number: number
  /** undefined: it is being filled for a file that is not finished. */
  content: SlotContent | undefined
  /** Reads and writes under way: it stays what it is until they are done. */
  pins: number
  /** It is to be free as soon as nobody pins it. */
  dropped: boolean
}

export class SlotTable {
  readonly slotCount: number
  /** Least recently used first. */
  readonly #used = new Set<Slot>()
  readonly #files = new Map<FileName, Map<number, Slot>>()
  readonly #free: number[] = []
  /** Slots from here on were never used. */
  #next = 0
  #evictions = 0

  constructor(slotCount: number) {
    this.slotCount = slotCount
  }

  get usedCount(): number {
    return this.#used.size
  }

  get evictions(): number {
    return this.#evictions
  }

  /** What was found in a slot when the cache was opened; `undefined`: nothing. Slot after slot, from 0 on. */
  restore(content: SlotContent | undefined): void {
    const number = this.#next++
    if (content === undefined || this.#files.get(content.ref.name)?.has(content.chunk) === true) {
      this.#free.push(number)
      return
    }
    const slot = { number, content: undefined, pins: 0, dropped: false }
    this.#used.add(slot)
    this.occupy(slot, content)
  }

  /** The slot that holds it, used now; undefined: none. */
  find(name: FileName, chunk: number, checksum: string, fileBytes: number): Slot | undefined {
    const slot = this.#files.get(name)?.get(chunk)
    if (slot?.content === undefined) return undefined
    const { ref } = slot.content
    // A file of the same name in another store.
    if (ref.checksum !== checksum || ref.bytes !== fileBytes) return undefined
    this.#used.delete(slot)
    this.#used.add(slot)
    return slot
  }

  has(name: FileName, chunk: number): boolean {
    return this.#files.get(name)?.has(chunk) === true
  }

  /** A slot to write to, pinned; what it held is forgotten. undefined: all are pinned. */
  take(): Slot | undefined {
    const number = this.#free.pop() ?? (this.#next < this.slotCount ? this.#next++ : this.#evict())
    if (number === undefined) return undefined
    const slot: Slot = { number, content: undefined, pins: 1, dropped: false }
    this.#used.add(slot)
    return slot
  }

  /** From now on it is found. */
  occupy(slot: Slot, content: SlotContent): void {
    assert(slot.content === undefined, 'a slot is occupied once')
    const { name } = content.ref
    const chunks = this.#files.get(name) ?? new Map<number, Slot>()
    const before = chunks.get(content.chunk)
    if (before !== undefined) this.drop(before)
    slot.content = content
    chunks.set(content.chunk, slot)
    this.#files.set(name, chunks)
  }

  /** Nobody finds it any more; it is free when nobody pins it. */
  drop(slot: Slot): void {
    if (slot.dropped) return
    slot.dropped = true
    if (slot.content !== undefined) {
      const { ref, chunk } = slot.content
      const chunks = this.#files.get(ref.name)
      if (chunks?.get(chunk) === slot) chunks.delete(chunk)
      if (chunks?.size === 0) this.#files.delete(ref.name)
    }
    this.#release(slot)
  }

  unpin(slot: Slot): void {
    slot.pins--
    if (slot.dropped) this.#release(slot)
  }

  forget(name: FileName): void {
    for (const slot of Array.from(this.#files.get(name)?.values() ?? [])) this.drop(slot)
  }

  #release(slot: Slot): void {
    if (slot.pins > 0) return
    this.#used.delete(slot)
    this.#free.push(slot.number)
  }

  #evict(): number | undefined {
    for (const slot of this.#used) {
      if (slot.pins > 0) continue
      this.#evictions++
      this.drop(slot)
      return this.#free.pop()
    }
    return undefined
  }
}
