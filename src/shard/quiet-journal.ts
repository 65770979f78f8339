/**
 * The journal of a shard that does not write: it is refused nothing, and does not hear that there is no space left where its
 * journal is. What it has there may be most of what that place is full of. So it asks, as long as it has anything there of
 * which no file has taken the place, and gives that back.
 *
 * docs/decisions/0027-full-journal-disk.md.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import type { Journal } from '../journal/journal.ts'

// As often as a connection that is silent is asked whether it lives. Whoever is refused until then tries again anyway.
const ASK_MS = 5_000

/** What is asked of the shard around it. */
export interface QuietHost {
  /** Where replay would begin: what the journal has before is in files. */
  replayFrom(): number
  /** Puts into files what the journal has, and truncates it. */
  giveBack(): Promise<void>
}

export class QuietJournal {
  readonly #journal: Pick<Journal, 'end' | 'crowded'>
  readonly #clock: Clock
  readonly #host: QuietHost
  #timer: Timer | undefined
  /** Where the journal ended when it was last looked at. */
  #end = -1
  /** Giving back has failed, perhaps after files had taken its place. */
  #owes = false
  #asking = false

  constructor(journal: Pick<Journal, 'end' | 'crowded'>, clock: Clock, host: QuietHost) {
    this.#journal = journal
    this.#clock = clock
    this.#host = host
  }

  /** From now on it asks, where there is anybody to ask. */
  start(): void {
    if (this.#journal.crowded === undefined) return
    this.#timer = this.#clock.after(ASK_MS, () => {
      if (!this.#asking) void this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    const { end } = this.#journal
    const quiet = end === this.#end
    this.#end = end
    // Whoever writes is told with what is refused.
    if (!quiet || (end <= this.#host.replayFrom() && !this.#owes)) return
    this.#asking = true
    try {
      if ((await this.#journal.crowded?.()) === true) {
        this.#owes = true
        await this.#host.giveBack()
        this.#owes = false
      }
    } catch {
      // Who writes next hears why; and it is tried again.
    }
    this.#asking = false
  }
}
