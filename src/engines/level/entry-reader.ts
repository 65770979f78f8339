/**
 * Reads a scan for an abstract-level iterator: by one, by many, all, with read-ahead and seeks.
 *
 * A scan answers without waiting while its bytes are in memory, so a long iteration would keep the event loop from
 * everything else: every TURN_ENTRIES entries the reader lets a turn pass. classic-level breathes as often.
 */

import type { Clock } from '../../kernel/clock.ts'
import type { KvEntry, KvRange, KvScan } from '../kv/kv.ts'
import { isInRange } from './encoded-range.ts'
import { LevelError, toLevelError } from './level-error.ts'

/**
 * Default of `highWaterMarkBytes`. classic-level's is 16 KiB, about 160 entries of 100 bytes; a stream asks for
 * 1000. Much more only adds to what an iterator holds that is never read to its end.
 */
export const HIGH_WATER_MARK_BYTES = 64 * 1024
// Entries that `next()` reads ahead, at most, and those of one step of `all()`.
const READ_AHEAD = 1000
const TURN_ENTRIES = 1000
// Chunks of `all()`, which holds everything in the end: as large as the scan makes them.
const ALL_CHUNK_BYTES = 4 * 1024 * 1024

export interface EntryReaderParts<Item> {
  readonly scan: KvScan
  /** Of the scan: what is outside cannot be sought. */
  readonly range: KvRange
  readonly toItem: (entry: KvEntry) => Item
  readonly highWaterMarkBytes: number
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
}

export class EntryReader<Item> {
  readonly #parts: EntryReaderParts<Item>
  #ahead: readonly KvEntry[] = []
  /** Next of `#ahead` to give out. */
  #index = 0
  /** One entry is often all that is wanted at first or after a seek: only later is more read than was asked for. */
  #first = true
  /** The target of the last seek was outside of the range. */
  #outside = false
  #sinceTurn = 0

  constructor(parts: EntryReaderParts<Item>) {
    this.#parts = parts
  }

  /** @param left entries that may still be given out: the rest of the iterator's limit */
  async next(left: number): Promise<Item | undefined> {
    if (this.#index === this.#ahead.length) {
      const count = this.#first ? 1 : Math.min(READ_AHEAD, left)
      this.#first = false
      this.#ahead = await this.#read(count, this.#parts.highWaterMarkBytes + 1)
      this.#index = 0
    }
    const entry = this.#ahead[this.#index]
    if (entry === undefined) return undefined
    this.#index++
    return this.#parts.toItem(entry)
  }

  async nextv(size: number): Promise<Item[]> {
    this.#first = false
    const ahead = this.#takeAhead(size)
    return ahead.length > 0 ? ahead : this.#toItems(await this.#readOn(size, this.#parts.highWaterMarkBytes + 1))
  }

  async all(left: number): Promise<Item[]> {
    const items = this.#takeAhead(left)
    while (items.length < left) {
      const entries = await this.#read(Math.min(READ_AHEAD, left - items.length), ALL_CHUNK_BYTES)
      if (entries.length === 0) break
      for (const entry of entries) items.push(this.#parts.toItem(entry))
    }
    return items
  }

  seek(target: Uint8Array): void {
    this.#ahead = []
    this.#index = 0
    this.#first = true
    this.#outside = !isInRange(this.#parts.range, target)
    if (!this.#outside) this.#parts.scan.seek(target)
  }

  close(): void {
    this.#ahead = []
    this.#index = 0
    this.#parts.scan.close()
  }

  #takeAhead(count: number): Item[] {
    const taken = this.#ahead.slice(this.#index, this.#index + count)
    this.#index += taken.length
    return this.#toItems(taken)
  }

  #toItems(entries: readonly KvEntry[]): Item[] {
    return entries.map(this.#parts.toItem)
  }

  /** As `#read`, but goes on where a scan stops because bytes are not at hand: fewer only at `bytes` or at the end. */
  async #readOn(count: number, bytes: number): Promise<readonly KvEntry[]> {
    const first = await this.#read(count, bytes)
    if (first.length === 0 || first.length === count) return first
    const entries = [...first]
    let left = bytes - sizeOf(first)
    try {
      while (entries.length < count && left > 0) {
        const more = await this.#read(count - entries.length, left)
        if (more.length === 0) break
        entries.push(...more)
        left -= sizeOf(more)
      }
    } catch (error) {
      // The scan is past them: they are for whoever reads on after the error.
      this.#ahead = entries
      this.#index = 0
      throw error
    }
    return entries
  }

  async #read(count: number, bytes: number): Promise<readonly KvEntry[]> {
    if (this.#outside) return []
    const { scan, signal, clock } = this.#parts
    if (this.#sinceTurn >= TURN_ENTRIES) {
      this.#sinceTurn = 0
      await clock.turn()
    }
    try {
      const entries = await scan.next(count, bytes)
      this.#sinceTurn += entries.length
      // The scan may have answered at once, before the signal that the program gave after its call.
      if (signal?.aborted === true) throw new LevelError('LEVEL_ABORTED', 'the read was aborted', signal.reason)
      return entries
    } catch (error) {
      throw toLevelError(error)
    }
  }
}

function sizeOf(entries: readonly KvEntry[]): number {
  return entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
}
