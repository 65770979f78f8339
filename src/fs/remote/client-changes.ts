/**
 * Changes of heads that one client has asked for, so that one whose answer is lost can be asked for again and is not made
 * twice.
 *
 * A client counts its changes. One that is known has an outcome, which is the answer; what the client has been told of it does
 * not ask for again, and whatever comes with such a number comes late, over a connection that it has given up.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { HeadVersion } from '../fs.ts'

export class ClientChanges {
  readonly #outcomes = new Map<number, Promise<HeadVersion>>()
  #acknowledged = 0

  /** @param acknowledged the client asks for no change up to this one again */
  change(number: number, acknowledged: number, change: () => Promise<HeadVersion>): Promise<HeadVersion> {
    this.#forget(acknowledged)
    if (number <= this.#acknowledged) {
      return Promise.reject(
        new VarveError('OUTCOME_UNKNOWN', 'the change comes late: its client does not wait for it any more', {
          details: { operation: 'compareAndSet' },
        }),
      )
    }
    const known = this.#outcomes.get(number)
    if (known !== undefined) return known
    const outcome = change()
    outcome.catch(() => undefined)
    this.#outcomes.set(number, outcome)
    return outcome
  }

  #forget(acknowledged: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, acknowledged)
    for (const number of this.#outcomes.keys()) if (number <= this.#acknowledged) this.#outcomes.delete(number)
  }
}
