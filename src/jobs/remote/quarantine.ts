/**
 * Work that has failed several times in a row, and is not taken for a while: a poisoned job must not keep workers busy.
 *
 * A shard gives every attempt another name; what is the same about them is what they work on.
 */

import type { Clock } from '../../kernel/clock.ts'
import type { JobSpec } from '../jobs.ts'
import { workName } from '../wire/work-name.ts'
import type { BrokerSettings } from './settings.ts'

interface Failing {
  count: number
  untilMs: number
}

// Of other work, so that what is not asked for any more is forgotten.
const REMEMBERED_MAX = 1024

export class Quarantine {
  readonly #clock: Clock
  readonly #settings: BrokerSettings
  readonly #failing = new Map<string, Failing>()

  constructor(clock: Clock, settings: BrokerSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /** For how long the work of `spec` is still not taken, in milliseconds; 0: it is. */
  remainingMs(spec: JobSpec): number {
    const failing = this.#failing.get(workName(spec))
    return failing === undefined ? 0 : Math.max(0, failing.untilMs - this.#clock.monotonic())
  }

  succeeded(spec: JobSpec): void {
    this.#failing.delete(workName(spec))
  }

  failed(spec: JobSpec): void {
    const work = workName(spec)
    const count = (this.#failing.get(work)?.count ?? 0) + 1
    const { failuresMax, quarantineMs, quarantineMsMax } = this.#settings
    const over = count - failuresMax
    const forMs = over < 0 ? 0 : Math.min(quarantineMsMax, quarantineMs * 2 ** Math.min(over, 30))
    // At the end of the map: the first are those that failed longest ago.
    this.#failing.delete(work)
    this.#failing.set(work, { count, untilMs: this.#clock.monotonic() + forMs })
    for (const oldest of this.#failing.keys()) {
      if (this.#failing.size <= REMEMBERED_MAX) break
      this.#failing.delete(oldest)
    }
  }
}
