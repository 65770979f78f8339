/**
 * Whether there is another owner, asked of the head where something has failed that might be because of one.
 *
 * A journal that does not answer, or does not know its writer any more, cannot say. Whoever is told that nobody knows opens
 * the shard again, and takes it away from the one that has it.
 */

import type { Clock } from '../kernel/clock.ts'
import type { VarveError } from '../kernel/errors.ts'
import { isCode } from '../kernel/errors.ts'
import type { Committer } from './committer.ts'
import { within } from './within.ts'

export class OwnerDoubt {
  readonly #committer: Pick<Committer, 'hearIfLost'>
  readonly #lost: (reason: VarveError) => void
  #asking: Promise<Error | undefined> | undefined
  #reason: VarveError | undefined

  /** @param lost told that there is another owner */
  constructor(committer: Pick<Committer, 'hearIfLost'>, lost: (reason: VarveError) => void) {
    this.#committer = committer
    this.#lost = lost
  }

  /** Reads the head, once at a time. Resolves also where it cannot be read, with the reason. */
  ask(): Promise<Error | undefined> {
    this.#asking ??= this.#committer
      .hearIfLost((reason) => this.#hear(reason))
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  /**
   * `work`. Rejects with FENCED where it failed and there is another owner.
   *
   * @param patience how long the head is asked. Default: until it answers, or says that it will not
   */
  async about(work: Promise<void>, patience?: { readonly clock: Clock; readonly ms: number }): Promise<void> {
    try {
      await work
    } catch (error) {
      await (patience === undefined ? this.ask() : within(patience.clock, patience.ms, this.ask()))
      throw this.#reason ?? error
    }
  }

  /**
   * `work`. Rejects with FENCED where an answer was refused, and there is another owner, who may have removed its files; and with
   * what keeps the head from being read, where that cannot be told from an answer that is wrong.
   */
  async aboutRefused<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work
    } catch (error) {
      if (!isCode(error, 'JOB_REJECTED')) throw error
      const unheard = await this.ask()
      throw this.#reason ?? unheard ?? error
    }
  }

  #hear(reason: VarveError): void {
    this.#reason ??= reason
    this.#lost(this.#reason)
  }
}

/** What is told from now on: that there is another owner comes before that nobody knows. */
export function graver(before: VarveError | undefined, now: VarveError): VarveError {
  return before === undefined || (before.kind === 'unknown' && isCode(now, 'FENCED')) ? now : before
}
