/**
 * What was read of a log, compared with what its leader has.
 *
 * Reads of many messages are answered by any server that has a replica, and those of one that was cut off may differ: one that
 * had just come back once had four writes that the others had dropped, in the place of the next owner's fence. What it alone
 * has ends where it goes on with the others: at an owner's fence, at a record that fits nothing, or at the end. So it is the
 * record before each of these that the leader is asked for; a single message only it answers.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { StoredMessage, Streams } from '../../nats/nats.ts'
import type { LogRecord } from './record.ts'

export class SecondLook {
  readonly #streams: Streams
  readonly #stream: string
  /** The next message that comes. */
  #next: number
  /** The newest one that counts. */
  #newest: { readonly message: StoredMessage; readonly isFence: boolean } | undefined
  /** The newest one that was passed over, behind the newest one that counts. */
  #missed: number | undefined
  /** The oldest message that is no record, behind that one. */
  #stranger: StoredMessage | undefined
  /** What is to be compared, by sequence; undefined: it was passed over. */
  readonly #seen = new Map<number, Uint8Array | undefined>()

  constructor(streams: Streams, stream: string, first: number) {
    this.#streams = streams
    this.#stream = stream
    this.#next = first
  }

  /**
   * @param message the next one; its bytes are lent for good
   * @param take what is done with it: gives the record if it counts
   */
  at(message: StoredMessage, take: () => LogRecord | 'stranger' | undefined): void {
    if (message.sequence > this.#next) this.#missed = message.sequence - 1
    this.#next = message.sequence + 1
    let counts: LogRecord | 'stranger' | undefined
    try {
      counts = take()
    } catch (error) {
      this.atNewest()
      this.#remember(message)
      if (this.#missed !== undefined) this.#seen.set(this.#missed, undefined)
      throw error
    }
    if (counts === undefined) return
    if (counts === 'stranger') {
      this.#stranger ??= message
      return
    }
    if (this.#newest !== undefined) this.#stranger = undefined
    this.#missed = undefined
    const isFence = counts.kind === 'fence'
    // Of an owner that has written nothing it does not matter what it was.
    if (isFence && this.#newest?.isFence === false) this.#remember(this.#newest.message)
    this.#newest = { message, isFence }
  }

  /** What comes before the end of what was read is to be compared, too. */
  atNewest(): void {
    if (this.#newest !== undefined) this.#remember(this.#newest.message)
  }

  #remember({ sequence, data }: StoredMessage): void {
    this.#seen.set(sequence, data)
  }

  /**
   * @param damaged what was read, as it seems: then it does not matter what the leader has not got either
   * @returns IO_FAILED, where the leader has something else; undefined: it has the same
   * @throws {VarveError} IO_FAILED — not known now
   */
  async difference(damaged: boolean): Promise<VarveError | undefined> {
    if (this.#stranger !== undefined) this.#remember(this.#stranger)
    for (const [sequence, data] of this.#seen) {
      const message = await this.#streams.message(this.#stream, sequence)
      if (message === undefined) {
        if (!damaged && data !== undefined) return await this.#absent(sequence)
      } else if (data === undefined || Buffer.compare(message.data, data) !== 0) {
        return diverging(this.#stream, sequence)
      }
    }
    return undefined
  }

  /** Truncated meanwhile, or the leader is a new one. */
  async #absent(sequence: number): Promise<VarveError> {
    const state = await this.#streams.state(this.#stream)
    if (state !== undefined && sequence >= state.first) throw lagging(this.#stream, sequence)
    return diverging(this.#stream, sequence)
  }
}

/** The stream says that it is there: the server that answers has not got it yet. */
export function lagging(stream: string, sequence: number): VarveError {
  return new VarveError('IO_FAILED', `stream ${stream} has no message ${sequence} yet`, {
    details: { path: stream, operation: 'read' },
  })
}

export function diverging(stream: string, sequence: number): VarveError {
  const reason = `a server has another message ${sequence} of stream ${stream} than its leader: open it again`
  return new VarveError('IO_FAILED', reason, { details: { path: stream, operation: 'read' } })
}
