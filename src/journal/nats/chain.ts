/**
 * Which records of a stream count, and where the journal ends after each.
 *
 * A record of an owner counts if it follows the owner's previous one in number. Records are published many at a time, each
 * expecting a sequence: where somebody else's takes the place of one, that one is refused, and the next may be stored
 * behind the stranger, as what it expects is there. Such a record is void: its number tells. It is published again.
 *
 * A message that is no record may be somebody else's, published under the subject of the journal, or a record that is damaged.
 * The next record that counts tells: its number, and the position of a fence, follow what counted before, or do not.
 */

import type { VarveError } from '../../kernel/errors.ts'

import { journalCorrupt } from '../journal-corrupt.ts'
import type { LogRecord } from './record.ts'

const NO_RECORD =
  'this message is no record, and none follows that shows that none is missing: where somebody else has published it, ' +
  'an owner passes over it with its next write, and passOver of NatsJournalSystem goes on without it'

export class Chain {
  readonly #stream: string
  readonly #from: number
  /** Sequence of the newest message. */
  #sequence: number | undefined
  /** Messages are missing since the newest record that counts. */
  #gap = false
  #doubt: VarveError | undefined
  /** What no record that follows makes sure of. */
  #doubted: VarveError | undefined
  /** Of a batch that is not whole: bytes from its beginning. */
  #partial: { readonly position: number; length: number } | undefined
  /** The newest record that counts; undefined: none has come. */
  newest: LogRecord | undefined
  /** Its sequence. */
  newestAt: number | undefined
  /** Just past the last whole batch; undefined while nothing tells. */
  end: number | undefined

  /** @param from what is missing before this position is no loss */
  constructor(stream: string, from: number) {
    this.#stream = stream
    this.#from = from
  }

  /**
   * Takes the next message. The first one that is no knock counts.
   *
   * @returns whether it counts
   * @throws {VarveError} JOURNAL_CORRUPT — what comes before it is missing
   */
  accept(record: LogRecord, sequence: number): boolean {
    const { kind, epoch, owner, serial, position } = record
    this.#come(sequence)
    if (kind === 'knock') return false
    const gap = this.#gap
    if (gap && position > this.#from) this.#fail(sequence, 'messages before it are missing')
    this.#gap = false
    const { newest } = this
    if (newest === undefined || gap) {
      // What is missing there is no loss; of what comes before the first one that is kept nobody knows.
      if (position > this.#from) this.#doubted = this.#doubt
      this.#partial = undefined
      this.end = undefined
    } else if (kind === 'fence') {
      if (epoch < newest.epoch) this.#fail(sequence, 'an epoch went back')
    } else if (owner !== newest.owner || serial !== newest.serial + 1) {
      // An owner begins with a fence: something else was read in its place.
      if (epoch > newest.epoch) this.#fail(sequence, `the fence of epoch ${epoch} is missing`)
      return false
    }
    this.newest = record
    this.newestAt = sequence
    if (kind === 'batch') this.#fragment(record, sequence)
    else this.#begin(position, sequence)
    this.#doubt = this.#doubted
    return true
  }

  /** Takes the next message, which is no record. */
  acceptStranger(sequence: number): void {
    this.#come(sequence)
    this.#doubt ??= journalCorrupt(this.#stream, sequence, NO_RECORD)
  }

  /** Says of a message that it may be a record that is damaged: nothing that came since has shown that none is missing. */
  get doubt(): VarveError | undefined {
    return this.#doubt
  }

  #come(sequence: number): void {
    this.#gap ||= this.#sequence !== undefined && sequence !== this.#sequence + 1
    this.#sequence = sequence
  }

  #fragment({ position, batchBytes, offset, payload }: LogRecord, sequence: number): void {
    if (offset === 0) this.#begin(position, sequence)
    // The first one that is read may be from the middle.
    else if (this.end !== undefined && this.#partial?.length !== offset) this.#fail(sequence, 'a fragment is missing')
    this.#partial = { position, length: offset + payload.length }
    if (this.#partial.length < batchBytes) return
    this.#partial = undefined
    this.end = position + batchBytes
  }

  #begin(position: number, sequence: number): void {
    if (this.end !== undefined && this.end !== position)
      this.#fail(sequence, `it is at position ${position}, the journal ends at ${this.end}`)
    this.#partial = undefined
    this.end = position
  }

  /** Where the next batch goes. */
  get next(): number {
    return this.#partial?.position ?? this.end ?? 0
  }

  #fail(sequence: number, reason: string): never {
    throw this.#doubt ?? journalCorrupt(this.#stream, sequence, reason)
  }
}
