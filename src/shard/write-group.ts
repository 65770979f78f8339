/** The operations of one turn on their way to the journal, and the promises of those who wait for them. */

import { Encoder } from '../kernel/codec.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { KIB, MIB } from '../kernel/limits.ts'
import { beginGroup } from './group-codec.ts'
import { RungPromises } from './rung-promises.ts'

export class WriteGroup extends RungPromises {
  readonly encoder: Encoder
  /** Where the group starts in the journal. */
  readonly position: JournalPosition
  /** Seqno of its last operation. */
  seqnoLast: Seqno
  readonly #start: number

  constructor(encoder: Encoder, position: JournalPosition, applied: Seqno) {
    super()
    this.encoder = encoder
    this.position = position
    this.seqnoLast = applied
    beginGroup(encoder, (applied + 1) as Seqno)
    this.#start = encoder.length
  }

  /** No operation is in it. */
  get empty(): boolean {
    return this.encoder.length === this.#start
  }
}

// Groups larger than this are rare; their buffers are not worth keeping.
const KEPT_BYTES_MAX = 4 * MIB
const KEPT_COUNT_MAX = 4

/** Encoders reused from group to group: a group's bytes are lent to the journal until they are written. */
export class EncoderPool {
  readonly #idle: Encoder[] = []

  take(): Encoder {
    return this.#idle.pop() ?? new Encoder(16 * KIB)
  }

  give(encoder: Encoder): void {
    if (encoder.length > KEPT_BYTES_MAX || this.#idle.length >= KEPT_COUNT_MAX) return
    encoder.clear()
    this.#idle.push(encoder)
  }
}
