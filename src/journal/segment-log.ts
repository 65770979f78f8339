/**
 * The segments an owner writes: frames one after the other, the next segment, zeros ahead, and syncs.
 *
 * One call of `prepare` or `write` at a time; `sync` may run beside them.
 */

import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Device } from '../kernel/device.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { KIB } from '../kernel/limits.ts'
import type { Closing } from './fence.ts'
import type { PendingFrame } from './pending-frame.ts'
import { begun } from './open-segment.ts'
import type { OpenSegment } from './open-segment.ts'
import type { SegmentChain } from './segment-chain.ts'
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './segment-header.ts'
import type { SegmentId } from './segment-id.ts'
import { SegmentNames } from './segment-names.ts'
import { Segment } from './segment.ts'
import { SpareSegment } from './spare-segment.ts'
import type { LocalJournalSettings } from './settings.ts'

export interface SegmentLogComponents {
  readonly device: Device
  readonly hash: Hash
  readonly directory: string
  readonly shard: ShardId
  readonly settings: LocalJournalSettings
  /** Whether space is so scarce that a segment is replaced for the little there is in it, and no file kept for later. */
  readonly crowded?: (() => boolean) | undefined
  /** For how long files are kept. Default: none is. */
  readonly clock?: Clock | undefined
}

// A new file costs two syncs: below a sixteenth of a segment, the space is not worth them.
const WORN_SHARE = 16
// Its successor takes a block.
const WORN_BYTES = 16 * KIB

export class SegmentLog {
  readonly #components: SegmentLogComponents
  readonly #chain: SegmentChain
  readonly #names: SegmentNames
  /** What the next segment is made of. */
  readonly spare: SpareSegment
  #active: OpenSegment | undefined
  /** Left behind by a rotation and perhaps not synced. */
  #sealed: OpenSegment[] = []
  /** Nothing before it is needed. */
  #needed = 0
  /** A write failed: what is at the active segment's offset is unknown. */
  #torn = false
  #zerosWanted = false
  #syncFailed = false
  #syncing: Promise<void> = Promise.resolve()
  /** Everything below that is needed is on stable storage. */
  syncedUpTo: number
  /** Highest watermark that a frame or header carries. */
  #markedUpTo: number

  constructor(components: SegmentLogComponents, owner: Omit<SegmentId, 'index'>, chain: SegmentChain) {
    const { device, directory, settings } = (this.#components = components)
    this.#chain = chain
    this.#names = new SegmentNames(device, directory)
    this.spare = new SpareSegment(device, directory, this.#names, owner, { ...components, ...settings })
    this.syncedUpTo = chain.end
    this.#markedUpTo = chain.end
  }

  /** The segment that takes writes. */
  get active(): Segment | undefined {
    return this.#active?.segment
  }

  /** The active segment is large enough to be replaced by an empty one, when nothing in it is needed any more. */
  get worn(): boolean {
    const active = this.#active
    const { crowded, settings } = this.#components
    const least = settings.segmentBytes / WORN_SHARE
    const kept = crowded?.() === true ? Math.min(WORN_BYTES, least) : least
    return active !== undefined && !this.#torn && active.offset > kept
  }

  /** Begins another segment, durably: from now on it bears witness of where the log ends. */
  async renew(): Promise<void> {
    await this.#active?.zeroing
    await this.#rotate()
    await this.sync()
  }

  /** Nothing before `position` is needed any more: syncs that begin from now on leave sealed segments that end there alone. */
  forget(position: number): void {
    this.#needed = Math.max(this.#needed, position)
    // Where nobody syncs, nothing else ever empties it.
    this.#sealed = this.#sealed.filter(({ segment }) => segment.end > this.#needed)
  }

  /** Resolves when the syncs that have begun are over, however they end. */
  idle(): Promise<void> {
    return this.#syncing.catch(() => undefined)
  }

  /** From now on zeros are written ahead, so that syncs change no metadata. */
  wantZeros(): void {
    this.#zerosWanted = this.#components.settings.preallocateBytes > 0
  }

  /** True where `frame` can be written at once; otherwise await `prepare`. */
  ready(frame: PendingFrame): boolean {
    const active = this.#active
    if (active === undefined) return false
    const limit = active.offset + frame.bytes
    return limit <= active.zeroingStart && !this.#isFull(active, limit)
  }

  /** Makes room for `frame`: begins a segment, or waits for zeros where it goes. */
  async prepare(frame: PendingFrame): Promise<void> {
    while (!this.ready(frame)) {
      const active = this.#active
      if (active === undefined || this.#isFull(active, active.offset + frame.bytes)) await this.#rotate()
      else await active.zeroing
    }
  }

  /** Where the device can write synchronously; `frame` is ready. */
  writeSync(frame: PendingFrame): void {
    const active = this.#begin(frame)
    active.file.writeSync(frame.encode(this.#components.hash, active.segment.identity, this.syncedUpTo), active.offset)
    this.#finish(active, frame)
  }

  async write(frame: PendingFrame): Promise<void> {
    const active = this.#begin(frame)
    await active.file.write(
      frame.encode(this.#components.hash, active.segment.identity, this.syncedUpTo),
      active.offset,
    )
    this.#finish(active, frame)
  }

  /** Resolves when no zeros are being written. */
  async still(): Promise<void> {
    await this.#active?.zeroing
  }

  /**
   * After a write that failed: removes what it may have left, durably, so that none of it is ever found.
   * Does nothing where nothing was left. No zeros are being written.
   */
  async rewind(): Promise<void> {
    const active = this.#active
    if (!this.#torn || active === undefined) return
    active.zerosLimit = active.offset
    active.segment.storedBytes = active.offset
    await active.file.truncate(active.offset)
    await this.#inTurn(() => active.file.sync())
    this.#torn = false
  }

  /**
   * Makes everything written before the call durable: bytes first, of all segments in order, and their directory entries.
   * Calls run one after the other. Never call it again after it failed.
   */
  sync(): Promise<void> {
    return this.#inTurn(() => this.#syncAll())
  }

  get syncFailed(): boolean {
    return this.#syncFailed
  }

  /** Where the log ends, once all of it is on stable storage. */
  get closing(): Closing | undefined {
    const segment = this.#active?.segment
    if (segment?.endOffset === undefined || this.#torn || this.syncedUpTo !== this.#chain.end) return undefined
    return { index: segment.id.index, endOffset: segment.endOffset, end: this.#chain.end }
  }

  /** Leaves a witness that everything is synced, for recovery: a mark frame. Best done last. */
  async mark(frame: PendingFrame): Promise<void> {
    const active = this.#active
    if (
      active === undefined ||
      this.#torn ||
      this.syncedUpTo !== this.#chain.end ||
      this.#markedUpTo === this.syncedUpTo
    )
      return
    await active.zeroing
    await this.write(frame)
  }

  /**
   * A program that opens, writes a little and closes leaves a segment each time: of what it wrote, not of the zeros ahead of
   * it. Best done last, by the owner. Zeros and nothing read alike, so it needs no sync, and may fail.
   */
  async cutZeros(): Promise<void> {
    const active = this.#active
    await active?.zeroing
    // What is behind a torn frame is nobody's to cut but `rewind`'s, which makes it durable.
    if (active === undefined || this.#torn || active.zerosLimit <= active.offset) return
    const { file, offset, segment } = active
    active.zerosLimit = segment.storedBytes = offset
    await file.truncate(offset)
  }

  /** Waits for zeros that are being written. Segments stay open. No sync runs. */
  async close(): Promise<void> {
    await this.#active?.zeroing
    await this.spare.discard()
    await this.#names.close()
  }

  #isFull(active: OpenSegment, limit: number): boolean {
    return limit > this.#components.settings.segmentBytes && active.offset > SEGMENT_HEADER_BYTES
  }

  #begin(frame: PendingFrame): OpenSegment {
    const active = this.#active
    assert(active !== undefined, 'a frame is written before its segment is open')
    assert(!this.#torn, 'a frame is written behind a torn one')
    assert(frame.position === this.#chain.end, 'a frame is written out of order')
    this.#torn = true
    return active
  }

  #finish(active: OpenSegment, frame: PendingFrame): void {
    this.#torn = false
    const { segment } = active
    segment.index.add(frame.position, active.offset)
    active.offset += frame.bytes
    segment.end = frame.end
    segment.endOffset = active.offset
    segment.storedBytes = Math.max(active.offset, active.zerosLimit)
    this.#chain.end = frame.end
    this.#markedUpTo = this.syncedUpTo
    if (this.#zerosWanted) this.#writeZeros(active)
    if (active.offset > this.#components.settings.segmentBytes / 2) this.spare.prepare()
  }

  #writeZeros(active: OpenSegment): void {
    const { preallocateBytes, segmentBytes } = this.#components.settings
    const start = Math.max(active.zerosLimit, active.offset)
    if (!active.zeros || active.zeroing !== undefined || start >= segmentBytes) return
    // Early enough that the log seldom catches up with them.
    if (start - active.offset > preallocateBytes / 2) return
    const limit = Math.min(start + preallocateBytes, segmentBytes)
    active.zeroingStart = start
    active.zeroing = active.file.preallocate(start, limit).then(
      () => {
        active.zerosLimit = limit
        active.segment.storedBytes = limit
      },
      // No space for zeros yet, or none at all: a write that really needs the space will say so.
      () => {
        active.zeros = false
      },
    )
    active.zeroing = active.zeroing.then(() => {
      active.zeroingStart = Infinity
      active.zeroing = undefined
    })
  }

  async #rotate(): Promise<void> {
    const { device, directory, shard } = this.#components
    const { id, file, bytes } = await this.spare.take()
    const base = this.#chain.end
    const segment = new Segment(directory, shard, id, base)
    const syncedUpTo = this.syncedUpTo
    try {
      const header = [encodeSegmentHeader(id, { base, syncedUpTo }, segment.identity)]
      if (device.supports.syncWrite) file.writeSync(header, 0)
      else await file.write(header, 0)
    } catch (error) {
      await file.close()
      // Only tidiness: recovery takes a segment without header and frames for one that never came to be.
      await device.unlink(segment.path).catch(() => {})
      throw error
    }
    this.#markedUpTo = syncedUpTo
    segment.attach(file)
    segment.storedBytes = Math.max(SEGMENT_HEADER_BYTES, bytes)
    this.#chain.push(segment)
    if (this.#active !== undefined) this.#sealed.push(this.#active)
    this.#active = begun(segment, file, bytes)
  }

  async #syncAll(): Promise<void> {
    const target = this.#chain.end
    const active = this.#active
    if (this.#sealed.length > 0) {
      const sealed = this.#sealed
      this.#sealed = []
      // A sealed segment below the watermark was synced while it was active; it, and one that is not needed, may be gone by now.
      for (const { segment, file } of sealed)
        if (segment.end > Math.max(this.syncedUpTo, this.#needed)) await file.sync()
    }
    // At once where nothing is sealed: an active segment that holds nothing new may be sealed, and gone, while this waits.
    await active?.file.sync()
    await this.#names.sync()
    this.syncedUpTo = target
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#syncing = this.#syncing.then(task)
    this.#syncing.catch(() => (this.#syncFailed = true))
    return this.#syncing
  }
}
