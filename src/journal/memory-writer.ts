/** The one writer of a log in memory, and its reader. */

import { copyOf } from '../kernel/bytes.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import { Deferred } from './deferred.ts'
import { fenced } from './fence.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import type { Append, Durability, Journal, JournalReader, JournalSupport } from './journal.ts'
import { busy, checkBatch, failedAppend, unsupported } from './append-check.ts'
import type { MemoryBatch, MemoryLog } from './memory-journal.ts'

/** Appends of one turn. */
interface Turn {
  readonly batches: MemoryBatch[]
  readonly written: Deferred
  synced: Deferred | undefined
}

export class MemoryJournalReader implements JournalReader {
  readonly #log: MemoryLog
  readonly #limit: number
  #closed = false

  /** @param limit position where the log ended when it was opened */
  constructor(log: MemoryLog, limit: number) {
    this.#log = log
    this.#limit = limit
  }

  get start(): JournalPosition {
    return this.#log.start as JournalPosition
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    if (this.#closed) throw closed()
    return replayLog(this.#log, from, this.#limit, visit)
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

export class MemoryJournal implements Journal {
  readonly epoch: Epoch
  readonly pendingBytesMax: number
  readonly #log: MemoryLog
  readonly #owner: number
  readonly #supports: JournalSupport
  #turn: Turn | undefined
  #lastWritten: Promise<void> | undefined
  #end: number
  #pendingBytes = 0
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(log: MemoryLog, epoch: Epoch, supports: JournalSupport, pendingBytesMax: number) {
    this.epoch = epoch
    this.pendingBytesMax = pendingBytesMax
    this.#log = log
    this.#owner = log.owner
    this.#supports = supports
    this.#end = log.end
  }

  get start(): JournalPosition {
    return this.#log.start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get storedBytes(): number {
    return this.#log.end - this.#log.start
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    checkBatch(payload.length)
    if (!this.#supports.durability.includes(durability)) throw unsupported(durability)
    if (this.#failure !== undefined) return failedAppend(this.#end, this.#failure)
    if (this.#pendingBytes > 2 * this.pendingBytesMax) throw busy(this.#pendingBytes, this.pendingBytesMax)
    const turn = this.#turn ?? this.#begin()
    turn.batches.push({ position: this.#end, payload: copyOf(payload) })
    this.#end += payload.length
    this.#pendingBytes += payload.length
    if (durability === 'synced') turn.synced ??= new Deferred()
    const synced = durability === 'synced' ? turn.synced?.promise : undefined
    return { end: this.#end as JournalPosition, written: turn.written.promise, synced }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#settled()
    if (this.#failure !== undefined) throw this.#failure
    if (!this.#supports.durability.includes('synced')) throw unsupported('synced')
    this.#sync()
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    if (!this.#supports.read) {
      throw new VarveError('UNSUPPORTED', 'this journal cannot be read at a position', {
        details: { capability: 'read' },
      })
    }
    await this.#settled()
    const batch = this.#log.batches.find(
      (one) => one.position <= position && position < one.position + one.payload.length,
    )
    if (batch === undefined) {
      throw new VarveError('NOT_FOUND', `the journal has no batch at ${position}`, { details: { position } })
    }
    const start = position - batch.position
    if (start + length > batch.payload.length)
      throw new RangeError(`${length} bytes at ${position} are not within one batch`)
    return copyOf(batch.payload, start, start + length)
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#settled()
    return replayLog(this.#log, from, this.#log.end, visit)
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    if (this.#log.owner !== this.#owner) throw this.#fenced()
    const { batches } = this.#log
    const kept = batches.findIndex(({ position, payload }) => position + payload.length > before)
    if (kept < 0) batches.length = 0
    else batches.splice(0, kept)
    this.#log.start = batches[0]?.position ?? this.#log.end
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    if (this.#log.owner !== this.#owner) throw this.#fenced()
  }

  async ready(): Promise<void> {
    if (this.#pendingBytes > this.pendingBytesMax) await this.#settled()
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): Promise<void> {
    this.#closing ??= this.#settled()
    return this.#closing
  }

  #begin(): Turn {
    const turn: Turn = { batches: [], written: new Deferred(), synced: undefined }
    this.#turn = turn
    this.#lastWritten = turn.written.promise
    queueMicrotask(() => this.#flush(turn))
    return turn
  }

  #flush(turn: Turn): void {
    this.#turn = undefined
    for (const { payload } of turn.batches) this.#pendingBytes -= payload.length
    if (this.#log.owner !== this.#owner) {
      const reason = this.#fenced()
      turn.written.reject(reason)
      turn.synced?.reject(reason)
      return
    }
    for (const batch of turn.batches) this.#log.batches.push(batch)
    this.#log.end = this.#end
    turn.written.resolve()
    const { synced } = turn
    if (synced === undefined) return
    queueMicrotask(() => {
      if (this.#log.owner === this.#owner) {
        this.#sync()
        synced.resolve()
      } else {
        synced.reject(this.#fenced())
      }
    })
  }

  #sync(): void {
    if (this.#log.owner !== this.#owner) throw this.#fenced()
    this.#log.syncedEnd = this.#log.end
  }

  #fenced(): VarveError {
    this.#failure ??= fenced(this.#log.epoch)
    return this.#failure
  }

  async #settled(): Promise<void> {
    try {
      await this.#lastWritten
    } catch {
      // `#failure` tells.
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
  }
}

function replayLog(
  log: MemoryLog,
  from: number,
  end: number,
  visit: (payload: Uint8Array, position: JournalPosition) => void,
): JournalPosition {
  if (from < log.start || from > end) throw journalCorrupt('(memory)', from, 'it was truncated, or never written')
  for (const { position, payload } of log.batches) {
    if (position >= from && position < end) visit(payload, position as JournalPosition)
  }
  return end as JournalPosition
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the journal is closed')
}
