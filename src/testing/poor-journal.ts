/** The journals of a poor journal system: see poor-journal-system.ts. */

import { VarveError } from '../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../kernel/ids.ts'
import type { Append, Durability, Journal, JournalReader, JournalSupport } from '../journal/journal.ts'
import type { LateAnswers } from './late-answers.ts'

type Visit = (payload: Uint8Array, position: JournalPosition) => void

/** What becomes of an append: the truth, or OUTCOME_UNKNOWN for one that happened or did not. */
export type AppendOutcome = 'known' | 'happened' | 'not-happened'

export class PoorJournalReader implements JournalReader {
  readonly #inner: JournalReader
  readonly #late: LateAnswers

  constructor(inner: JournalReader, late: LateAnswers) {
    this.#inner = inner
    this.#late = late
  }

  get start(): JournalPosition {
    return this.#inner.start
  }

  replay(from: JournalPosition, visit: Visit, again?: () => void): Promise<JournalPosition> {
    return this.#late.around(() => this.#inner.replay(from, visit, again))
  }

  close(): Promise<void> {
    return this.#late.around(() => this.#inner.close())
  }
}

export class PoorJournal implements Journal {
  readonly #inner: Journal
  readonly #late: LateAnswers
  readonly #supports: JournalSupport
  readonly #outcome: () => AppendOutcome
  /** Of the last append: later ones are acknowledged after it. */
  #acknowledged: Promise<unknown> = Promise.resolve()
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  /** @param outcome asked for every append */
  constructor(inner: Journal, late: LateAnswers, supports: JournalSupport, outcome: () => AppendOutcome) {
    this.#inner = inner
    this.#late = late
    this.#supports = supports
    this.#outcome = outcome
  }

  get epoch(): Epoch {
    return this.#inner.epoch
  }

  get start(): JournalPosition {
    return this.#inner.start
  }

  get end(): JournalPosition {
    return this.#inner.end
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#inner.pendingBytesMax
  }

  get storedBytes(): number {
    return this.#inner.storedBytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    if (!this.#supports.durability.includes(durability)) throw unsupported(durability)
    if (this.#failure !== undefined) return this.#lost(this.#failure, payload, durability)
    const outcome = this.#outcome()
    const append = outcome === 'not-happened' ? undefined : this.#inner.append(payload, durability)
    if (outcome === 'known' && append !== undefined) return this.#acknowledgeLater(append)
    const failure = new VarveError(
      'OUTCOME_UNKNOWN',
      'an append may or may not have happened: OUTCOME_UNKNOWN (injected)',
      {
        details: { operation: 'append' },
      },
    )
    this.#failure = failure
    return this.#lost(failure, payload, durability, append)
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    if (!this.#supports.durability.includes('synced')) throw unsupported('synced')
    await this.#late.around(() => this.#inner.sync())
    await this.#acknowledged
    if (this.#failure !== undefined) throw this.#failure
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    if (!this.#supports.read) throw unsupported('read')
    return this.#late.around(() => this.#inner.read(position, length))
  }

  async replay(from: JournalPosition, visit: Visit, again?: () => void): Promise<JournalPosition> {
    this.#checkOpen()
    return this.#late.around(() => this.#inner.replay(from, visit, again))
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    return this.#late.around(() => this.#inner.truncate(before))
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    return this.#late.around(() => this.#inner.barrier())
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#late.around(() => this.#inner.close())
    await this.#acknowledged
  }

  #acknowledgeLater(append: Append): Append {
    const written = this.#inTurn(append.written)
    const synced = append.synced === undefined ? undefined : this.#inTurn(append.synced)
    return { end: append.end, written, synced }
  }

  /** What `answer` says, late, and after everything that was to be acknowledged before. */
  #inTurn(answer: Promise<void>): Promise<void> {
    const before = this.#acknowledged
    // It may be there long before its turn, and is listened to then.
    answer.catch(() => undefined)
    const acknowledged = this.#late.around(async () => {
      await before
      await answer
    })
    // Whoever appended may listen to one of two promises only.
    this.#acknowledged = acknowledged.catch(() => undefined)
    return acknowledged
  }

  #lost(failure: VarveError, payload: Uint8Array, durability: Durability, append?: Append): Append {
    append?.written.catch(() => undefined)
    append?.synced?.catch(() => undefined)
    const written = this.#inTurn(
      // The payload is lent until this settles.
      (append?.written ?? Promise.resolve()).then(() => {
        throw failure
      }),
    )
    written.catch(() => undefined)
    const end = append?.end ?? ((this.#inner.end + payload.length) as JournalPosition)
    return { end, written, synced: durability === 'synced' ? written : undefined }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}

function unsupported(capability: string): VarveError {
  return new VarveError('UNSUPPORTED', `this journal does not offer ${capability}`, { details: { capability } })
}
