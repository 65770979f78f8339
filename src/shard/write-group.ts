/** The operations of one turn on their way to the journal, and the promises of those who wait for them. */

import { Encoder } from '../kernel/codec.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { KIB, MIB } from '../kernel/limits.ts'
import type { Durability } from '../journal/journal.ts'
import { Deferred } from './deferred.ts'
import { beginGroup } from './group-codec.ts'

export class WriteGroup {
  readonly encoder: Encoder
  /** Where the group starts in the journal. */
  readonly position: JournalPosition
  /** Seqno of its last operation. */
  seqnoLast: Seqno
  readonly #start: number
  #written: Deferred<void> | undefined
  #synced: Deferred<void> | undefined
  #rejected: { readonly reason: unknown } | undefined

  constructor(encoder: Encoder, position: JournalPosition, applied: Seqno) {
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

  /** Who waits furthest. */
  get durability(): Durability {
    return this.#synced === undefined ? 'written' : 'synced'
  }

  /** The promise that all operations of this group and rung share. */
  promise(durability: Durability): Promise<void> {
    const rung = durability === 'written' ? (this.#written ??= new Deferred()) : (this.#synced ??= new Deferred())
    // Who asks only now hears of it too.
    if (this.#rejected !== undefined) rung.reject(this.#rejected.reason)
    return rung.promise
  }

  resolveWritten(): void {
    this.#written?.resolve()
  }

  resolveSynced(): void {
    this.#synced?.resolve()
  }

  reject(reason: unknown): void {
    this.#rejected = { reason }
    this.#written?.reject(reason)
    this.#synced?.reject(reason)
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
