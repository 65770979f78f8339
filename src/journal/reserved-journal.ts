/** A journal whose batches stay out of the reserve of its disk: see journal-space.ts. */

import { isCode } from '../kernel/errors.ts'
import type { VarveError } from '../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import type { JournalSpace } from './journal-space.ts'
import type { Append, Durability, Journal } from './journal.ts'

export class ReservedJournal implements Journal {
  readonly epoch: Epoch
  readonly #journal: Journal
  readonly #space: JournalSpace
  /** What was refused is about to hear so: until then nothing is taken that would come before it. */
  #refusing: Promise<never> | undefined

  constructor(journal: Journal, space: JournalSpace) {
    this.#journal = journal
    this.#space = space
    this.epoch = journal.epoch
  }

  get start(): JournalPosition {
    return this.#journal.start
  }

  get end(): JournalPosition {
    return this.#journal.end
  }

  get pendingBytes(): number {
    return this.#journal.pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#journal.pendingBytesMax
  }

  get storedBytes(): number {
    return this.#journal.storedBytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    const { refusal } = this.#space
    if (refusal !== undefined) {
      this.#space.check()
      this.#refusing ??= this.#refuse(refusal).finally(() => (this.#refusing = undefined))
      this.#refusing.catch(() => undefined)
    }
    const refused = this.#refusing
    if (refused !== undefined)
      return { end: this.end, written: refused, synced: durability === 'synced' ? refused : undefined }
    const append = this.#journal.append(payload, durability)
    append.written.then(
      () => this.#space.appended(payload.length),
      (error: unknown) => this.#space.met(error),
    )
    return append
  }

  sync(): Promise<void> {
    return this.#journal.sync()
  }

  read(position: JournalPosition, length: number): Promise<Uint8Array> {
    return this.#journal.read(position, length)
  }

  replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
    again?: () => void,
  ): Promise<JournalPosition> {
    return this.#journal.replay(from, visit, again)
  }

  async truncate(before: JournalPosition): Promise<void> {
    await this.#space.attempt(() => this.#journal.truncate(before))
    this.#space.check()
  }

  barrier(): Promise<void> {
    return this.#journal.barrier()
  }

  crowded(): Promise<boolean> {
    this.#space.check()
    return Promise.resolve(this.#space.full)
  }

  ready(): Promise<void> {
    return this.#journal.ready()
  }

  close(): Promise<void> {
    return this.#journal.close()
  }

  /** Whoever cannot append any more, as another owner has the shard, should not try again: that is said first. */
  async #refuse(refusal: VarveError): Promise<never> {
    try {
      await this.#journal.barrier()
    } catch (error) {
      if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'JOURNAL_CORRUPT')) throw error
    }
    throw refusal
  }
}
