/** The one writer of a journal in PostgreSQL: see postgres-journal-system.ts. */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../../kernel/ids.ts'
import { busy, checkBatch, failedAppend, outcomeUnknown, unsupported, wasRefused } from '../append-check.ts'
import { Deferred } from '../deferred.ts'
import type { Append, Durability, Journal, JournalSupport } from '../journal.ts'
import { AppendGroup } from './append-group.ts'
import type { LogState } from './journal-table.ts'
import { readRows, replayRows } from './row-replay.ts'
import { RowWriter } from './row-writer.ts'
import type { RowOwner } from './row-writer.ts'

export interface PostgresJournalBasis extends RowOwner {
  readonly supports: JournalSupport
  readonly pendingBytesMax: number
}

export class PostgresJournal implements Journal {
  readonly #basis: PostgresJournalBasis
  readonly #writer: RowWriter
  /** In order; the first is under way. */
  #groups: AppendGroup[] = []
  #pumping = false
  #start: number
  #end: number
  #pendingBytes = 0
  #waiting: Deferred[] = []
  #barrier: Promise<void> | undefined
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(basis: PostgresJournalBasis, { start, end }: LogState) {
    this.#basis = basis
    this.#writer = new RowWriter(basis, end)
    this.#start = start
    this.#end = end
  }

  get epoch(): Epoch {
    return this.#basis.epoch
  }

  get start(): JournalPosition {
    return this.#start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#basis.pendingBytesMax
  }

  get storedBytes(): number {
    return this.#end - this.#start
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    const { length } = payload
    checkBatch(length)
    if (!this.#basis.supports.durability.includes(durability)) throw unsupported(durability)
    if (this.#failure !== undefined) return failedAppend(this.#end, this.#failure)
    if (this.#pendingBytes > 2 * this.pendingBytesMax) throw busy(this.#pendingBytes, this.pendingBytesMax)
    const group = this.#group(length)
    group.add(payload)
    this.#end += length
    this.#pendingBytes += length
    const synced = durability === 'synced' ? group.wantSynced() : undefined
    return { end: this.#end as JournalPosition, written: group.written.promise, synced }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    if (!this.#basis.supports.durability.includes('synced')) throw unsupported('synced')
    if (this.#failure !== undefined) throw this.#failure
    // Who closes asks once more; where nothing is at stake, a server that has gone is not waited for.
    if (this.#groups.length === 0 && this.#writer.isSynced) return
    // A commit of its own, where there is nothing else to commit: it comes after all others in the server's log.
    await this.#group(0).wantSynced()
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    await this.#settled()
    return readRows(this.#basis, this, position, length)
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#settled()
    return replayRows(this.#basis, { start: this.#start, end: this.#writer.end }, from, visit)
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    await this.#settled()
    const { table, shard, epoch, owner } = this.#basis
    const limit = Math.min(before, this.#writer.end)
    if (limit > this.#start) {
      const start = limit === this.#writer.end ? limit : ((await table.batchStart(shard, limit)) ?? limit)
      if (!(await table.moveStart(shard, epoch, owner, start))) {
        await this.#checkOwner()
        throw new VarveError('IO_FAILED', 'the journal was not truncated', {
          details: { path: 'postgres', operation: 'truncate' },
        })
      }
      this.#start = start
    }
    while ((await table.deleteBefore(shard, this.#start)) > 0) this.#checkOpen()
  }

  barrier(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closed())
    // Whoever asks in one turn shares the answer.
    this.#barrier ??= Promise.resolve().then(() => {
      this.#barrier = undefined
      return this.#checkOwner()
    })
    return this.#barrier
  }

  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#pendingBytes <= this.pendingBytesMax) return
    const waiter = new Deferred()
    this.#waiting.push(waiter)
    await waiter.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#settled()
    return this.#closing
  }

  async #checkOwner(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.#writer.check()
    } catch (error) {
      if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN')) this.#fail(error)
      throw error
    }
  }

  /** The group that takes a batch of `length` bytes. */
  #group(length: number): AppendGroup {
    const last = this.#groups.at(-1)
    if (last?.takes(length) === true) return last
    const group = new AppendGroup(this.#end)
    this.#groups.push(group)
    if (!this.#pumping) {
      this.#pumping = true
      // After this turn's appends.
      queueMicrotask(() => void this.#pump())
    }
    return group
  }

  async #pump(): Promise<void> {
    for (let group = this.#groups[0]; group !== undefined; group = this.#groups[0]) {
      group.sent = true
      try {
        await this.#writer.commit(group)
        this.#groups.shift()
        this.#pendingBytes -= group.bytes
        group.resolve()
      } catch (error) {
        if (wasRefused(error)) this.#takeBack(error)
        else this.#fail(isCode(error, 'FENCED', 'OUTCOME_UNKNOWN') ? error : outcomeUnknown('append', error))
      }
      this.#wake()
    }
    this.#pumping = false
  }

  /** Nothing of the first group is there, and what was appended after it cannot be: `end` is back where it began. */
  #takeBack(reason: VarveError): void {
    const groups = this.#groups.splice(0)
    this.#end = groups[0]?.position ?? this.#end
    for (const group of groups) {
      this.#pendingBytes -= group.bytes
      group.reject(reason)
    }
  }

  #fail(reason: VarveError): void {
    this.#failure ??= reason
    for (const group of this.#groups.splice(0)) group.reject(this.#failure)
    this.#pendingBytes = 0
    this.#wake()
  }

  #wake(): void {
    const failure = this.#failure
    if (failure === undefined && this.#pendingBytes > this.pendingBytesMax) return
    for (const waiter of this.#waiting.splice(0)) {
      if (failure === undefined) waiter.resolve()
      else waiter.reject(failure)
    }
  }

  /** Waits for everything appended so far. */
  async #settled(): Promise<void> {
    await this.#groups.at(-1)?.written.promise.catch(() => undefined)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
  }
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the journal is closed')
}
