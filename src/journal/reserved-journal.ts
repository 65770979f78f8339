/** A journal whose batches stay out of the reserve of its disk: see journal-space.ts. */

import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import { failedAppend } from './append-check.ts'
import type { JournalSpace } from './journal-space.ts'
import type { Append, Durability, Journal } from './journal.ts'

export class ReservedJournal implements Journal {
  readonly epoch: Epoch
  readonly #journal: Journal
  readonly #space: JournalSpace

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
      return failedAppend(this.end, refusal)
    }
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

  ready(): Promise<void> {
    return this.#journal.ready()
  }

  close(): Promise<void> {
    return this.#journal.close()
  }
}
