/**
 * Puts batches together from the records of a stream that count, in order. A batch whose fragments are not all there is
 * dropped when another record takes its position: its owner was fenced, or gave it up.
 */

import type { VarveError } from '../../kernel/errors.ts'
import { Chain } from './chain.ts'
import type { LogRecord } from './record.ts'

export type Place = (payload: Uint8Array, position: number, sequence: number) => void

export class Assembly {
  readonly #chain: Chain
  readonly #place: Place
  #partial: { readonly sequence: number; readonly position: number; readonly bytes: Uint8Array } | undefined
  /** Position of the first record that counted. */
  start: number | undefined

  /** @param place is lent each batch, with the sequence of its first record */
  constructor(stream: string, from: number, place: Place) {
    this.#chain = new Chain(stream, from)
    this.#place = place
  }

  get end(): number {
    return this.#chain.next
  }

  /** The newest record that counted. */
  get newest(): LogRecord | undefined {
    return this.#chain.newest
  }

  /** What may be a record that is damaged. */
  get doubt(): VarveError | undefined {
    return this.#chain.doubt
  }

  /** A message that is no record. */
  addStranger(sequence: number): void {
    this.#chain.acceptStranger(sequence)
  }

  /**
   * @returns whether it counts
   * @throws {VarveError} JOURNAL_CORRUPT
   */
  add(record: LogRecord, sequence: number): boolean {
    if (!this.#chain.accept(record, sequence)) return false
    this.#assemble(record, sequence)
    return true
  }

  #assemble(record: LogRecord, sequence: number): void {
    const { kind, position, batchBytes, offset, payload } = record
    if (kind !== 'batch') {
      this.#partial = undefined
      this.start ??= position
      return
    }
    if (offset === 0) {
      this.start ??= position
      if (payload.length === batchBytes) {
        this.#partial = undefined
        this.#place(payload, position, sequence)
        return
      }
      this.#partial = { sequence, position, bytes: new Uint8Array(batchBytes) }
    }
    const partial = this.#partial
    // Without its beginning, which was removed with everything before it.
    if (partial === undefined || partial.position !== position) return
    partial.bytes.set(payload, offset)
    if (offset + payload.length < batchBytes) return
    this.#partial = undefined
    this.#place(partial.bytes, position, partial.sequence)
  }
}
