/**
 * The local journal: the one writer of a shard's log on a device.
 *
 *      append ──► frame of this turn ──► write ──► fence? ──► written
 *                                          └─────► sync ──► fence? ──► synced
 *
 * Appends of one turn share a frame, and a frame is one write. Where the device can write synchronously the microtask
 * after the turn does it at once (a page-cache write is 2–3 µs, a round trip to the thread pool 31); otherwise one write
 * is in flight and the next turns gather behind it. Nothing is acknowledged before the fence was seen standing after it.
 *
 * Failures. A failed sync, or a failed write of unknown effect, ends this writer: everything in flight and everything
 * later rejects with OUTCOME_UNKNOWN, and the handle is never synced again. So it is with FENCED for a lost fence, and with
 * JOURNAL_CORRUPT for a lost segment. NO_SPACE ends nothing, but positions have been given out: the frame that failed, and
 * everything appended between it and its rejection, rejects with NO_SPACE; then `end` is back where that frame began,
 * nothing of it is in the log, and appends go on from there. So does OUT_OF_FILES, where a segment cannot be created.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import { busy, checkBatch, failedAppend, outcomeUnknown, tookNothing, unsupported } from './append-check.ts'
import { Deferred } from './deferred.ts'
import { fenced } from './fence.ts'
import type { Append, Durability, Journal } from './journal.ts'
import { PendingFrame, StagingPool } from './pending-frame.ts'
import type { SegmentChain } from './segment-chain.ts'
import { SegmentLog } from './segment-log.ts'
import type { SegmentLogComponents } from './segment-log.ts'
import type { Standing } from './standing.ts'
import { SyncRounds } from './sync-rounds.ts'
import type { SyncWitness } from './sync-witness.ts'

const NOW = Promise.resolve()

interface WriteOutcome {
  /** Frames written, from the first. */
  readonly count: number
  /** Why not more, where that is the reason. */
  readonly noSpace: VarveError | undefined
}

export class LocalJournal implements Journal {
  readonly epoch: Epoch
  readonly pendingBytesMax: number
  readonly #fence: Standing
  readonly #witness: SyncWitness
  readonly #chain: SegmentChain
  readonly #log: SegmentLog
  readonly #writesSync: boolean
  readonly #pool = new StagingPool()
  readonly #rounds = new SyncRounds(() => this.#syncRound())
  #queue: PendingFrame[] = []
  /** Of the frame appended last, whatever became of it. */
  #lastWritten: Promise<void> | undefined
  #end: number
  #pendingBytes = 0
  /** A write, a rotation or a rewind is under way: the queue waits for it. */
  #busy = false
  #renewing: Promise<void> | undefined
  #readers: Deferred[] = []
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(
    components: SegmentLogComponents,
    { fence, witness }: { readonly fence: Standing; readonly witness: SyncWitness },
    chain: SegmentChain,
  ) {
    this.epoch = fence.epoch
    this.pendingBytesMax = components.settings.pendingBytesMax
    this.#fence = fence
    this.#witness = witness
    this.#chain = chain
    this.#log = new SegmentLog(components, fence, chain)
    // The fence is read after every write: neither may go without the other.
    this.#writesSync = components.device.supports.syncWrite && components.device.supports.syncRead
    this.#end = chain.end
  }

  get start(): JournalPosition {
    return this.#chain.start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get storedBytes(): number {
    return this.#chain.storedBytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    const { length } = payload
    checkBatch(length)
    if (durability !== 'written' && durability !== 'synced') throw unsupported(durability)
    if (this.#failure !== undefined) return failedAppend(this.#end, this.#failure)
    if (this.#pendingBytes > 2 * this.pendingBytesMax) throw busy(this.#pendingBytes, this.pendingBytesMax)
    const queue = this.#queue
    let frame = queue[queue.length - 1]
    if (frame === undefined || !frame.add(payload)) {
      frame = PendingFrame.of(payload, this.#end, this.#pool)
      // `queueMicrotask` takes 0.2 µs more.
      if (queue.push(frame) === 1 && !this.#busy) void NOW.then(this.#flush)
      this.#lastWritten = frame.written.promise
    }
    this.#pendingBytes += length
    this.#end += length
    const end = this.#end as JournalPosition
    if (durability === 'written') return { end, written: frame.written.promise, synced: undefined }
    this.#log.wantZeros()
    return { end, written: frame.written.promise, synced: frame.wantSynced() }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#settled()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#log.syncedUpTo === this.#chain.end) return this.barrier()
    const waiter = new Deferred()
    this.#rounds.join(waiter)
    await waiter.promise
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#settled()
    return (await this.#chain.replay(from, visit as (payload: Uint8Array, position: number) => void)) as JournalPosition
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    if (position >= this.#chain.end) await this.#settled()
    return this.#chain.read(position, length)
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    this.#log.forget(before)
    if (before === this.#end && this.#log.worn) await (this.#renewing ??= this.#renew())
    // A new segment that may not be stored bears no witness: the one before it has to stay.
    if (this.#failure !== undefined) throw this.#failure
    // Syncs that have begun may be about to touch what goes; those that begin from now on touch this one or later ones.
    const { active } = this.#log
    await this.#log.idle()
    await this.#chain.truncate(before, () => active ?? this.#log.active, this.#log.spare)
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    if (this.#failure === undefined) await this.#checkFence()
    if (this.#failure !== undefined) throw this.#failure
  }

  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#pendingBytes <= this.pendingBytesMax) return
    const waiter = new Deferred()
    this.#readers.push(waiter)
    await waiter.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Nothing in the active segment is needed any more: begins another, so that it can go. */
  async #renew(): Promise<void> {
    try {
      if (this.#busy || this.#queue.length > 0) return
      this.#busy = true
      await this.#checkFence()
      if (this.#failure === undefined) await this.#log.renew()
    } catch (error) {
      // Where there is no file, or no space for its header, the segment there is does as well.
      if (this.#log.syncFailed) this.#fail(outcomeUnknown('sync', error))
    } finally {
      this.#busy = false
      this.#renewing = undefined
      this.#flush()
    }
  }

  async #close(): Promise<void> {
    await this.#renewing
    await this.#settled()
    await this.#rounds.idle()
    try {
      if (this.#failure === undefined) await this.#leaveWord()
    } catch {
      // It only narrows what recovery must doubt. Whatever a failed write of it left is beyond the end.
    }
    try {
      await this.#log.close()
      await this.#chain.close()
    } finally {
      await this.#witness.close()
      await this.#fence.release()
    }
  }

  /** Tells the next owner where the log ends, where all of it is synced, and leaves nothing behind that end. */
  async #leaveWord(): Promise<void> {
    // The files of one that was replaced are the next owner's.
    await this.#checkFence()
    if (this.#failure !== undefined) return
    await this.#log.mark(PendingFrame.mark(this.#chain.end))
    if (this.#log.closing !== undefined) await this.#fence.close(this.#log.closing)
    await this.#log.cutZeros()
  }

  /** Waits until everything appended so far is written, or never will be. */
  async #settled(): Promise<void> {
    // NO_SPACE took back only its own frames; of any other failure `#failure` tells.
    await this.#lastWritten?.catch(() => undefined)
  }

  readonly #flush = (): void => {
    if (this.#busy || this.#queue.length === 0) return
    const frames = this.#takeQueue()
    const first = frames[0] as PendingFrame
    if (!this.#writesSync || frames.length > 1 || !this.#log.ready(first)) {
      void this.#writeAll(frames)
      return
    }
    // The common case, a turn whose batches fit one frame: no promise but the caller's.
    try {
      this.#log.writeSync(first)
    } catch (error) {
      if (tookNothing(error)) {
        void this.#writeAll(frames, error)
        return
      }
      this.#fail(outcomeUnknown('write', error))
    }
    // An error of this look is not one of the write, which has happened.
    if (this.#failure === undefined) this.#lookAtFence()
    this.#acknowledge(frames)
  }

  /**
   * Writes frames, and those that gather meanwhile, until the queue is empty.
   *
   * @param noSpace what the first of them has met already
   */
  async #writeAll(batch: PendingFrame[], noSpace?: VarveError): Promise<void> {
    this.#busy = true
    let frames = batch
    let outcome: WriteOutcome = { count: 0, noSpace }
    if (noSpace === undefined) outcome = await this.#writeFrames(frames)
    for (;;) {
      if (outcome.count > 0) await this.#checkFence()
      this.#acknowledge(frames.slice(0, outcome.count))
      const rest = frames.slice(outcome.count)
      if (this.#failure !== undefined) this.#acknowledge(rest)
      else if (rest.length > 0) await this.#takeBack(rest, outcome.noSpace)
      frames = this.#takeQueue()
      if (frames.length === 0) break
      outcome = await this.#writeFrames(frames)
    }
    this.#busy = false
  }

  /** Writes frames until the device is full or the journal fails. */
  async #writeFrames(frames: readonly PendingFrame[]): Promise<WriteOutcome> {
    let count = 0
    try {
      for (const frame of frames) {
        if (!this.#log.ready(frame)) await this.#log.prepare(frame)
        if (this.#writesSync) this.#log.writeSync(frame)
        else await this.#log.write(frame)
        count++
      }
    } catch (error) {
      if (tookNothing(error)) return { count, noSpace: error }
      this.#fail(outcomeUnknown('write', error))
    }
    return { count, noSpace: undefined }
  }

  /** Rejects frames that did not fit on the device, and all after them. */
  async #takeBack(frames: readonly PendingFrame[], reason: unknown): Promise<void> {
    const first = frames[0] as PendingFrame
    try {
      await this.#log.still()
      // Not ours to cut any more, if another owner has begun to read it. Looked at again, so that what is refused is nowhere.
      await this.#checkFence()
      if (this.#failure === undefined) await this.#log.rewind().then(() => this.#checkFence())
    } catch (error) {
      this.#fail(outcomeUnknown('rewind', error))
    }
    if (this.#failure === undefined) this.#end = first.position
    for (const frame of [...frames, ...this.#takeQueue()]) this.#dismiss(frame, this.#failure ?? reason)
    this.#notifyReaders()
  }

  /** Frames that have been written and seen the fence standing; or, after a failure, any. */
  #acknowledge(frames: readonly PendingFrame[]): void {
    for (const frame of frames) {
      if (this.#failure !== undefined) {
        this.#dismiss(frame, this.#failure)
        continue
      }
      frame.recycle(this.#pool)
      this.#pendingBytes -= frame.payloadBytes
      frame.written.resolve()
      if (frame.synced !== undefined) this.#rounds.join(frame.synced)
    }
    if (this.#readers.length > 0) this.#notifyReaders()
  }

  #dismiss(frame: PendingFrame, reason: unknown): void {
    frame.recycle(this.#pool)
    this.#pendingBytes -= frame.payloadBytes
    frame.reject(reason)
  }

  async #syncRound(): Promise<void> {
    try {
      await this.#witness.open()
      await this.#log.sync()
    } catch (error) {
      this.#fail(outcomeUnknown('sync', error))
      return
    }
    await this.#witness.write(this.#log.syncedUpTo)
    if (this.#failure === undefined) await this.#checkFence()
  }

  /** Fails the journal where another owner has raised the fence, or where nobody can tell. */
  async #checkFence(): Promise<void> {
    if (this.#writesSync) {
      this.#lookAtFence()
      return
    }
    try {
      if (!(await this.#fence.holds())) this.#fail(fenced(undefined))
    } catch (error) {
      this.#fail(outcomeUnknown('stat', error))
    }
  }

  /** `#checkFence`, where the device writes synchronously. */
  #lookAtFence(): void {
    try {
      if (!this.#fence.holdsSync()) this.#fail(fenced(undefined))
    } catch (error) {
      this.#fail(outcomeUnknown('stat', error))
    }
  }

  /** Ends this writer. Frames that are being written are dismissed by whoever writes them. */
  #fail(reason: VarveError): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    for (const frame of this.#takeQueue()) this.#dismiss(frame, reason)
    this.#rounds.reject(reason)
    this.#notifyReaders()
  }

  #notifyReaders(): void {
    const failure = this.#failure
    if (failure === undefined && this.#pendingBytes > this.pendingBytesMax) return
    const readers = this.#readers
    this.#readers = []
    for (const reader of readers) {
      if (failure === undefined) reader.resolve()
      else reader.reject(failure)
    }
  }

  #takeQueue(): PendingFrame[] {
    const frames = this.#queue
    this.#queue = []
    return frames
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}
