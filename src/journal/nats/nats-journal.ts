/** The one writer of a journal that is a stream of JetStream. */

import { VarveError } from '../../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../../kernel/ids.ts'
import { KIB } from '../../kernel/limits.ts'
import { patiently } from '../../nats/patience.ts'
import { busy, checkBatch, failedAppend, unsupported } from '../append-check.ts'
import { Deferred } from '../deferred.ts'
import type { Append, Durability, Journal } from '../journal.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import { PendingAppends } from './pending-append.ts'
import type { OutgoingRecord } from './outgoing-record.ts'
import { RecordPipeline } from './record-pipeline.ts'
import type { NatsJournalSettings } from './settings.ts'
import type { ShardLog, Visit } from './shard-log.ts'

/** What opening has found, and made. */
export interface OpenedLog {
  readonly epoch: Epoch
  readonly owner: string
  readonly start: number
  readonly end: number
  /** Of the oldest message. */
  readonly first: number
  /** Of the fence. */
  readonly last: number
}

interface Mark {
  readonly position: number
  readonly sequence: number
}

const NOTHING = new Uint8Array(0)
// What a truncation may leave of what it could have dropped.
const MARK_BYTES = 64 * KIB

export class NatsJournal implements Journal {
  readonly epoch: Epoch
  readonly #owner: string
  readonly #log: ShardLog
  readonly #fragmentBytes: number
  readonly #pipeline: RecordPipeline
  readonly #appends: PendingAppends
  /** Where some of the batches are, in order. */
  #marks: Mark[] = []
  #start: number
  #end: number
  #storedEnd: number
  #first: number
  /** Begun in this turn, and not sent. */
  #barrier: Deferred | undefined
  readonly #barriers = new Set<Deferred>()
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(log: ShardLog, { epoch, owner, start, end, first, last }: OpenedLog, settings: NatsJournalSettings) {
    const { fragmentBytes, windowMessages, pendingBytesMax } = settings
    this.epoch = epoch
    this.#owner = owner
    this.#log = log
    this.#fragmentBytes = Math.min(fragmentBytes, log.streams.payloadBytesMax - KIB)
    this.#start = start
    this.#end = end
    this.#storedEnd = end
    this.#first = first
    this.#appends = new PendingAppends(pendingBytesMax)
    this.#pipeline = new RecordPipeline(log, last, {
      owner: { epoch, owner },
      host: { failed: (reason) => this.#fail(reason), full: (reason) => this.#takeBack(reason) },
      windowMessages,
    })
  }

  get start(): JournalPosition {
    return this.#start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#appends.bytes
  }

  get pendingBytesMax(): number {
    return this.#appends.bytesMax
  }

  get storedBytes(): number {
    return this.#storedEnd - this.#start
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    checkBatch(payload.length)
    if (durability !== 'written') throw unsupported(durability)
    if (this.#failure !== undefined) return failedAppend(this.#end, this.#failure)
    const { bytes, bytesMax } = this.#appends
    if (bytes > 2 * bytesMax) throw busy(bytes, bytesMax)
    const position = this.#end
    this.#end += payload.length
    const { written } = this.#appends.add(position, payload)
    for (let offset = 0; offset < payload.length; offset += this.#fragmentBytes) {
      const fragment = payload.subarray(offset, offset + this.#fragmentBytes)
      const isLast = offset + fragment.length === payload.length
      this.#send({ kind: 'batch', position, batchBytes: payload.length, offset, payload: fragment }, (sequence) => {
        if (offset === 0) this.#mark(position, sequence)
        if (!isLast) return
        this.#storedEnd = position + payload.length
        this.#appends.acknowledge()
      })
    }
    return { end: (position + payload.length) as JournalPosition, written: written.promise, synced: undefined }
  }

  /** A server may acknowledge before anything is on stable storage: this is not offered. */
  async sync(): Promise<void> {
    this.#checkOpen()
    if (this.#failure !== undefined) throw this.#failure
    throw unsupported('synced')
  }

  async read(_position: JournalPosition, _length: number): Promise<Uint8Array> {
    this.#checkOpen()
    throw unsupported('read')
  }

  async replay(from: JournalPosition, visit: Visit, again?: () => void): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#appends.settled()
    if (from < this.#start || from > this.#end)
      throw journalCorrupt(this.#log.stream, from, `it is there from ${this.#start} to ${this.#end}`)
    const marked = this.#marks.findLast(({ position }) => position <= from)
    let marks: Mark[] = []
    const anew = (): void => {
      marks = []
      again?.()
    }
    const first = marked?.sequence ?? this.#first
    const piece = { first, last: this.#pipeline.last, end: this.#storedEnd, owner: this.#owner }
    await this.#log.replay(piece, from, visit, {
      place: (_payload, position, sequence) => addMark(marks, position, sequence),
      ...(again === undefined ? {} : { again: anew }),
    })
    if (this.#marks.length === 0) this.#marks = marks
    return piece.end as JournalPosition
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    if (this.#failure !== undefined) throw this.#failure
    // The newest record stays: it says where the journal ends. Nobody who has been fenced since does harm here: what an
    // owner has let go is not needed by later ones either.
    const all = before >= this.#end && this.#storedEnd === this.#end
    const mark = this.#marks.findLast(({ position }) => position <= before)
    const limit = all ? { position: this.#end, sequence: this.#pipeline.last } : mark
    if (limit === undefined || limit.sequence <= this.#first) return
    const { position, sequence } = limit
    const { streams, stream, patience } = this.#log
    await patiently(patience, () => streams.purge(stream, sequence))
    this.#first = sequence
    this.#start = Math.max(this.#start, position)
    this.#marks = this.#marks.filter((each) => each.sequence >= sequence)
  }

  /** A record of its own, which only the owner's stream takes. Those who ask in one turn share it. */
  async barrier(): Promise<void> {
    this.#checkOpen()
    if (this.#failure !== undefined) throw this.#failure
    this.#barrier ??= this.#touch()
    await this.#barrier.promise
  }

  async ready(): Promise<void> {
    await this.#appends.ready()
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): Promise<void> {
    this.#closing ??= this.#appends.settled()
    return this.#closing
  }

  #send(record: OutgoingRecord['record'], stored: OutgoingRecord['stored']): void {
    this.#pipeline.push({ record, stored })
  }

  #touch(): Deferred {
    const barrier = new Deferred()
    this.#barriers.add(barrier)
    void Promise.resolve().then(() => {
      this.#barrier = undefined
      this.#send({ kind: 'touch', position: this.#end, batchBytes: 0, offset: 0, payload: NOTHING }, () => {
        this.#barriers.delete(barrier)
        barrier.resolve()
      })
    })
    return barrier
  }

  #mark(position: number, sequence: number): void {
    addMark(this.#marks, position, sequence)
  }

  #fail(reason: VarveError): void {
    this.#failure ??= reason
    this.#appends.reject(this.#failure)
    this.#rejectBarriers(this.#failure)
  }

  #takeBack(reason: VarveError): void {
    this.#end = this.#appends.reject(reason) ?? this.#end
    this.#rejectBarriers(reason)
  }

  #rejectBarriers(reason: VarveError): void {
    for (const barrier of this.#barriers) barrier.reject(reason)
    this.#barriers.clear()
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}

function addMark(marks: Mark[], position: number, sequence: number): void {
  const newest = marks.at(-1)
  if (newest === undefined || position - newest.position >= MARK_BYTES) marks.push({ position, sequence })
}
