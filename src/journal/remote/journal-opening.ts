/**
 * A journal that is being opened for a client, which keeps the journal's state in its head.
 *
 *      client                      service
 *        open      ──────────►     open below; it wants its state committed
 *                  ◄──────────     commit this
 *        committed ──────────►     … goes on
 *                  ◄──────────     opened, or commit this as well
 */

import { VarveError } from '../../kernel/errors.ts'
import type { Journal, JournalStateKeeper } from '../journal.ts'

export type OpeningStep =
  { readonly type: 'commit'; readonly state: Uint8Array } | { readonly type: 'opened'; readonly journal: Journal }

interface Ends<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

export class JournalOpening implements JournalStateKeeper {
  state: Uint8Array | undefined
  /** Who waits for the next step. */
  #waiter: Ends<OpeningStep> | undefined
  #ready: { readonly step: OpeningStep } | { readonly error: unknown } | undefined
  #committing: { readonly state: Uint8Array; readonly ends: Ends<void> } | undefined
  #abandoned: VarveError | undefined

  /** @param open opens the journal with this as its keeper */
  constructor(state: Uint8Array | undefined, open: (keeper: JournalStateKeeper) => Promise<Journal>) {
    this.state = state
    open(this).then(
      (journal) => {
        if (this.#abandoned === undefined) this.#say({ step: { type: 'opened', journal } })
        else void journal.close()
      },
      (error: unknown) => this.#say({ error }),
    )
  }

  commit(state: Uint8Array): Promise<void> {
    if (this.#abandoned !== undefined) return Promise.reject(this.#abandoned)
    return new Promise((resolve, reject) => {
      this.#committing = { state, ends: { resolve, reject } }
      this.#say({ step: { type: 'commit', state } })
    })
  }

  /** What the client is to do next. Rejects with what the opening failed with. */
  next(): Promise<OpeningStep> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
      const ready = this.#ready
      this.#ready = undefined
      if (ready !== undefined) this.#say(ready)
    })
  }

  /** The client has committed, or could not. */
  committed(error: Error | undefined): void {
    const committing = this.#committing
    this.#committing = undefined
    if (committing === undefined) throw new VarveError('POISONED', 'nothing was to be committed')
    if (error !== undefined) {
      committing.ends.reject(error)
      return
    }
    this.state = committing.state
    committing.ends.resolve()
  }

  /** The client has gone. */
  abandon(): void {
    this.#abandoned = new VarveError('OUTCOME_UNKNOWN', 'the client has gone while its journal was being opened', {
      details: { operation: 'commit' },
    })
    this.#committing?.ends.reject(this.#abandoned)
    const ready = this.#ready
    if (ready !== undefined && 'step' in ready && ready.step.type === 'opened') void ready.step.journal.close()
  }

  #say(said: { readonly step: OpeningStep } | { readonly error: unknown }): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    if (waiter === undefined) this.#ready = said
    else if ('step' in said) waiter.resolve(said.step)
    else waiter.reject(said.error)
  }
}
