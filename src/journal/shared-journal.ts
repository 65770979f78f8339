/** The one writer of a shard's part of a shared log: see shared-journal-system.ts. */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import { busy, checkBatch, failedAppend, unsupported } from './append-check.ts'
import { fenced } from './fence.ts'
import type { Append, Durability, Journal } from './journal.ts'
import type { SharedLog, SharedLogOwner } from './shared-log.ts'
import { replayShared } from './shared-replay.ts'

type Visit = (payload: Uint8Array, position: JournalPosition) => void

/** What a writer needs of the shared log around it. */
export interface SharedHost {
  readonly physical: Journal
  /** @throws {VarveError} BUSY — others write as well */
  append(log: SharedLog, payload: Uint8Array, durability: Durability): Append
  /** Reads of the log below, where nothing that is there when `work` begins goes until it has ended. */
  read<Result>(work: () => Promise<Result>): Promise<Result>
  /** Forgets what was taken back because it did not fit. */
  settle(): void
  truncated(log: SharedLog): Promise<void>
  /** Why the log below takes nothing more, once that is settled. */
  failure(): VarveError | undefined
}

export class SharedJournal implements Journal, SharedLogOwner {
  readonly epoch: Epoch
  readonly #host: SharedHost
  readonly #log: SharedLog
  #pendingBytes = 0
  #last: Promise<unknown> = Promise.resolve()
  #failure: VarveError | undefined
  /** Where the log ended when another owner took it over. */
  #endLast: JournalPosition | undefined
  #closing: Promise<void> | undefined

  constructor(host: SharedHost, log: SharedLog, epoch: Epoch) {
    this.#host = host
    this.#log = log
    this.epoch = epoch
  }

  get start(): JournalPosition {
    return this.#log.start as JournalPosition
  }

  get end(): JournalPosition {
    this.#host.settle()
    return this.#endLast ?? (this.#log.end as JournalPosition)
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#host.physical.pendingBytesMax
  }

  get storedBytes(): number {
    return this.#log.bytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    checkBatch(payload.length)
    if (durability !== 'written' && durability !== 'synced') throw unsupported(durability)
    const refusal = this.#refusal()
    if (refusal !== undefined) return failedAppend(this.end, refusal)
    if (this.#pendingBytes > 2 * this.pendingBytesMax) throw busy(this.#pendingBytes, this.pendingBytesMax)
    const append = this.#host.append(this.#log, payload, durability)
    this.#pendingBytes += payload.length
    const settled = (error?: unknown): void => {
      this.#pendingBytes -= payload.length
      if (isCode(error, 'OUTCOME_UNKNOWN')) this.#failure ??= error
    }
    this.#last = append.written.then(() => settled(), settled)
    return append
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#last
    this.#checkOwner()
    await this.#host.physical.sync()
    this.#checkOwner()
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    await this.#last
    return this.#host.read(async () => this.#readOf(position, length))
  }

  async replay(from: JournalPosition, visit: Visit): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#last
    return this.#host.read(() => replayShared(this.#host.physical, this.#log, from, this.end, visit))
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    this.#checkOwner()
    this.#log.forget(before)
    await this.#host.truncated(this.#log)
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    this.#checkOwner()
    await this.#host.physical.barrier()
  }

  async ready(): Promise<void> {
    this.#checkOwner()
    while (this.#pendingBytes > this.pendingBytesMax && this.#failure === undefined) await this.#last
    await this.#host.physical.ready()
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => undefined)
    return this.#closing
  }

  /** What the next owner appends moves the end of the log, and not this writer's: its appends come to where it knows it. */
  replaced(): void {
    this.#endLast = this.end
  }

  takenBack(end: number): void {
    if (this.#endLast !== undefined && end < this.#endLast) this.#endLast = end as JournalPosition
  }

  #readOf(position: JournalPosition, length: number): Promise<Uint8Array> {
    const batch = this.#log.batches[this.#log.indexOf(position)]
    if (batch === undefined || batch.position > position) {
      throw new VarveError('NOT_FOUND', `the journal has no batch at ${position}`, { details: { position } })
    }
    const skip = position - batch.position
    if (skip + length > batch.bytes) throw new RangeError(`${length} bytes at ${position} are not of one batch`)
    return this.#host.physical.read((batch.payload + skip) as JournalPosition, length)
  }

  #refusal(): VarveError | undefined {
    return this.#log.owner === this ? (this.#failure ?? this.#host.failure()) : fenced(this.#log.epoch)
  }

  #checkOwner(): void {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}
