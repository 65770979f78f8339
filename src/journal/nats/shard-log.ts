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
        chain.accept(this.codec.decode(message.data, read), read)
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
   * Reads records `first` … `last` and visits batches at or after `from`.
   *
   * @param place is told of every batch, in order
   * @returns where the journal ends there
   * @throws {VarveError} JOURNAL_CORRUPT — damaged, or bytes at or after `from` are missing
   */
  async replay(first: number, last: number, from: number, visit: Visit, place?: Place): Promise<number> {
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
    return assembly.end
  }
}
