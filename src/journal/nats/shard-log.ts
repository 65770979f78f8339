/** The stream of one shard's journal: where it begins and ends, and what is in it. */

import { isCode } from '../../kernel/errors.ts'
import type { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition, ShardId } from '../../kernel/ids.ts'
import type { StoredMessage, StreamState, Streams } from '../../nats/nats.ts'
import { patiently } from '../../nats/patience.ts'
import type { Patience } from '../../nats/patience.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import { Assembly } from './assembly.ts'
import type { Place } from './assembly.ts'
import { Chain } from './chain.ts'
import type { LogRecord, RecordCodec, RecordKind } from './record.ts'
import { SecondLook, diverging, lagging } from './second-look.ts'

export type Visit = (payload: Uint8Array, position: JournalPosition) => void

/** Where the log ends. */
export interface Tail {
  /** Of the newest message; the one that is appended next has to name it. */
  readonly sequence: number
  /** The newest record that counts; undefined: there is none. */
  readonly record: LogRecord | undefined
  /** Its sequence. */
  readonly recordAt: number | undefined
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

/** Beside those who are told of batches. */
export interface ReplayOptions {
  /** Is told where each of them is. */
  readonly place?: Place
  /** What has been visited does not count: everything is visited anew. Default: what does not count rejects. */
  readonly again?: () => void
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
   * @param passes what is no record, and may be a damaged one, is passed over. Default: it throws
   * @throws {VarveError} JOURNAL_CORRUPT, IO_FAILED
   */
  async tail(state: StreamState, passes = false): Promise<Tail> {
    const { last } = state
    const first = Math.max(state.first, 1)
    let oldest: Chain | undefined
    for (let sequence = last; sequence >= first; sequence--) {
      const record = await this.#record(sequence)
      if (record === undefined) {
        oldest = new Chain(this.stream, 0)
        oldest.acceptStranger(sequence)
      }
      if (record === undefined || record.kind === 'knock') continue
      // A fence is not sent before what it follows is known; what is purged ends before a record that counts.
      const anchor = record.kind === 'fence' ? sequence : Math.max(record.confirmed, first)
      const chain = new Chain(this.stream, 0)
      const look = new SecondLook(this.streams, this.stream, anchor)
      let read = 0
      await this.#doubting(look, async () => {
        await this.streams.read(this.stream, anchor, last, (message) => {
          read = message.sequence
          look.at(message, () => {
            const found = this.codec.decode(message.data, read)
            if (read === sequence && !isSame(found, record)) throw diverging(this.stream, read)
            if (found !== undefined) return chain.accept(found, read) ? found : undefined
            chain.acceptStranger(read)
            return 'stranger'
          })
        })
        look.atNewest()
        if (chain.doubt !== undefined && !passes) throw chain.doubt
      })
      if (read < last) throw lagging(this.stream, last)
      return { sequence: last, record: chain.newest, recordAt: chain.newestAt, end: chain.next }
    }
    if (oldest?.doubt !== undefined && !passes) throw oldest.doubt
    // The newest record is never removed.
    if (first > 1) throw journalCorrupt(this.stream, last, 'its newest records are missing')
    return { sequence: last, record: undefined, recordAt: undefined, end: 0 }
  }

  /** Undefined: it is none. */
  async #record(sequence: number): Promise<LogRecord | undefined> {
    const message = await this.streams.message(this.stream, sequence)
    if (message === undefined) throw lagging(this.stream, sequence)
    return this.codec.decode(message.data, sequence)
  }

  /** Publishes a record that has no payload; but a knock, only as the successor of the tail's newest message. */
  mark(
    kind: RecordKind,
    owner: { readonly epoch: number; readonly owner: string },
    { sequence, end }: Tail,
  ): ReturnType<Streams['publish']> {
    const position = kind === 'knock' ? 0 : end
    const nothing = { serial: 0, confirmed: 0, batchBytes: 0, offset: 0, payload: new Uint8Array(0) }
    const record = this.codec.encode({ ...nothing, ...owner, kind, position })
    const { streams, stream, subject } = this
    return streams.publish(stream, subject, record, kind === 'knock' ? {} : { expectedLast: sequence })
  }

  /** @throws {VarveError} IO_FAILED — its leader has something else there */
  async checkLeaderHas({ sequence, data }: StoredMessage): Promise<void> {
    const message = await this.streams.message(this.stream, sequence)
    if (message === undefined) throw lagging(this.stream, sequence)
    if (Buffer.compare(message.data, data) !== 0) throw diverging(this.stream, sequence)
  }

  /** Position of the oldest batch; `end`: there is none. */
  async start({ first, last }: StreamState, end: number): Promise<number> {
    for (let sequence = Math.max(first, 1); sequence <= last; sequence++) {
      const record = await this.#record(sequence)
      if (record === undefined || record.kind === 'knock') continue
      return record.kind === 'batch' && record.offset > 0 ? record.position + record.batchBytes : record.position
    }
    return end
  }

  /**
   * Removes what nobody asks for any more, but for the newest record that counts.
   *
   * @param needed nothing before this position will be asked for
   * @returns whether anything was removed
   */
  async purgeBefore(
    needed: number,
    { first }: StreamState,
    { sequence, record, recordAt, end }: Tail,
  ): Promise<boolean> {
    if (recordAt === undefined) return false
    let limit = recordAt
    if (needed < end) {
      limit = first
      const piece = { first: Math.max(first, 1), last: sequence, end, owner: record?.owner }
      const place: Place = (_payload, position, at) => void (limit = position <= needed ? at : limit)
      await this.replay(piece, needed, () => undefined, { place })
    }
    if (limit <= first) return false
    await patiently(this.patience, () => this.streams.purge(this.stream, limit))
    return true
  }

  /**
   * Reads a piece of the log and visits batches at or after `from`.
   *
   * @throws {VarveError} JOURNAL_CORRUPT — damaged, or bytes at or after `from` are missing
   * @throws {VarveError} IO_FAILED — what was visited is not what the leader has, or nobody answers
   */
  async replay(piece: LogPiece, from: number, visit: Visit, options: ReplayOptions = {}): Promise<void> {
    const { place, again } = options
    const both: Place = (payload, position, sequence) => {
      place?.(payload, position, sequence)
      if (position >= from) visit(payload, position as JournalPosition)
    }
    if (again === undefined) {
      await this.#replayOnce(piece, from, both)
      return
    }
    let tries = 0
    await patiently(this.patience, () => {
      if (tries++ > 0) again()
      return this.#replayOnce(piece, from, both)
    })
  }

  async #replayOnce({ first, last, end, owner }: LogPiece, from: number, place: Place): Promise<void> {
    const assembly = new Assembly(this.stream, from, place)
    const look = new SecondLook(this.streams, this.stream, first)
    let next = first
    const take = ({ sequence, data }: StoredMessage): LogRecord | 'stranger' | undefined => {
      const record = this.codec.decode(data, sequence)
      if (record === undefined) {
        assembly.addStranger(sequence)
        next = sequence + 1
        return 'stranger'
      }
      const counts = assembly.add(record, sequence)
      const { start } = assembly
      if (start !== undefined && start > from)
        throw journalCorrupt(this.stream, sequence, `bytes from ${from} to ${start} are missing`)
      next = sequence + 1
      return counts ? record : undefined
    }
    await this.#doubting(look, async () => {
      await patiently(
        this.patience,
        () => this.streams.read(this.stream, next, last, (message) => look.at(message, () => take(message))),
        () => next,
      )
      if (assembly.doubt !== undefined) throw assembly.doubt
    })
    if (assembly.end !== end || assembly.newest?.owner !== owner) throw diverging(this.stream, last)
  }

  /**
   * Reads, and believes neither what was read nor that it is damaged before its leader has the same.
   *
   * @throws {VarveError} IO_FAILED — it has something else
   */
  async #doubting(look: SecondLook, read: () => Promise<void>): Promise<void> {
    let failure: VarveError | undefined
    try {
      await read()
    } catch (error) {
      if (!isCode(error, 'JOURNAL_CORRUPT')) throw error
      failure = error
    }
    const difference = await patiently(this.patience, () => look.difference(failure !== undefined))
    if (difference !== undefined) throw difference
    if (failure !== undefined) throw failure
  }
}

function isSame(left: LogRecord | undefined, right: LogRecord): boolean {
  return left?.owner === right.owner && left.serial === right.serial && left.kind === right.kind
}
