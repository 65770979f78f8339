/** The stream of one shard's journal: where it begins and ends, and what is in it. */

import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition, ShardId } from '../../kernel/ids.ts'
import type { StoredMessage, StreamState, Streams } from '../../nats/nats.ts'
import { patiently } from '../../nats/patience.ts'
import type { Patience } from '../../nats/patience.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import { Assembly } from './assembly.ts'
import type { Place } from './assembly.ts'
import { Chain } from './chain.ts'
import type { LogRecord, RecordCodec } from './record.ts'

export type Visit = (payload: Uint8Array, position: JournalPosition) => void

/** Where the log ends. */
export interface Tail {
  /** Of the newest message; the one that is appended next has to name it. */
  readonly sequence: number
  /** The newest record that counts; undefined: there is none. */
  readonly record: LogRecord | undefined
  /** Where the journal ends. */
  readonly end: number
}

/** What is to be read of the log, and what its leader says of it. */
export interface LogPiece {
  /** Sequences. */
  readonly first: number
  readonly last: number
  /** Where the journal ends there. */
  readonly end: number
  /** Of the newest record that counts; undefined: there is none. */
  readonly owner: string | undefined
}

export class ShardLog {
  readonly shard: ShardId
  readonly streams: Streams
  readonly stream: string
  readonly subject: string
  readonly codec: RecordCodec

  readonly patience: Patience

  constructor(shard: ShardId, streams: Streams, prefix: string, codec: RecordCodec, patience: Patience) {
    this.shard = shard
    this.streams = streams
    this.stream = `${prefix}-journal-${shard}`
    this.subject = `${prefix}.journal.${shard}`
    this.codec = codec
    this.patience = patience
  }

  /**
   * Reads forward from a record of which the newest one says that it counts.
   *
   * @throws {VarveError} JOURNAL_CORRUPT, IO_FAILED
   */
  async tail(state: StreamState): Promise<Tail> {
    const { last } = state
    const first = Math.max(state.first, 1)
    for (let sequence = last; sequence >= first; sequence--) {
      const record = await this.#record(sequence)
      if (record.kind === 'knock') continue
      // A fence is not sent before what it follows is known; what is purged ends before a record that counts.
      const anchor = record.kind === 'fence' ? sequence : Math.max(record.confirmed, first)
      const chain = new Chain(this.stream, 0)
      let read = 0
      await this.streams.read(this.stream, anchor, last, (message) => {
        read = message.sequence
        const found = this.codec.decode(message.data, read)
        if (read === sequence && !isSame(found, record)) throw this.#diverging(read)
        chain.accept(found, read)
      })
      if (read < last) throw this.#lagging(last)
      return { sequence: last, record: chain.newest, end: chain.next }
    }
    // The newest record is never removed.
    if (first > 1) throw journalCorrupt(this.stream, last, 'its newest records are missing')
    return { sequence: last, record: undefined, end: 0 }
  }

  async #record(sequence: number): Promise<LogRecord> {
    const message = await this.streams.message(this.stream, sequence)
    if (message === undefined) throw this.#lagging(sequence)
    return this.codec.decode(message.data, sequence)
  }

  /** The stream says that it is there: the server that answers has not got it yet. */
  #lagging(sequence: number): VarveError {
    return new VarveError('IO_FAILED', `stream ${this.stream} has no message ${sequence} yet`, {
      details: { path: this.stream, operation: 'read' },
    })
  }

  /**
   * Reads are answered by any server that has a replica, and those of one that was cut off may differ: one that had just come
   * back once had four writes that the others had dropped, in the place of the next owner's fence.
   */
  #diverging(sequence: number): VarveError {
    const reason = `a server has another message ${sequence} of stream ${this.stream} than its leader: open it again`
    return new VarveError('IO_FAILED', reason, { details: { path: this.stream, operation: 'read' } })
  }

  /** Position of the oldest batch; `end`: there is none. */
  async start({ first, last }: StreamState, end: number): Promise<number> {
    for (let sequence = Math.max(first, 1); sequence <= last; sequence++) {
      const record = await this.#record(sequence)
      if (record.kind === 'knock') continue
      return record.kind === 'batch' && record.offset > 0 ? record.position + record.batchBytes : record.position
    }
    return end
  }

  /**
   * Reads a piece of the log and visits batches at or after `from`.
   *
   * @param place is told of every batch, in order
   * @throws {VarveError} JOURNAL_CORRUPT — damaged, or bytes at or after `from` are missing
   * @throws {VarveError} IO_FAILED — what was visited is not what the leader has, or nobody answers
   */
  async replay({ first, last, end, owner }: LogPiece, from: number, visit: Visit, place?: Place): Promise<void> {
    const assembly = new Assembly(this.stream, from, (payload, position, sequence) => {
      place?.(payload, position, sequence)
      if (position >= from) visit(payload, position as JournalPosition)
    })
    let next = first
    const take = ({ sequence, data }: StoredMessage): void => {
      assembly.add(this.codec.decode(data, sequence), sequence)
      const { start } = assembly
      if (start !== undefined && start > from)
        throw journalCorrupt(this.stream, sequence, `bytes from ${from} to ${start} are missing`)
      next = sequence + 1
    }
    await patiently(
      this.patience,
      () => this.streams.read(this.stream, next, last, take),
      () => next,
    )
    if (assembly.end !== end || assembly.newest?.owner !== owner) throw this.#diverging(last)
  }
}

function isSame(left: LogRecord, right: LogRecord): boolean {
  return left.owner === right.owner && left.serial === right.serial && left.kind === right.kind
}
