/** The journals that are open at a service, under names that only their clients know, whatever becomes of connections. */

import type { Clock, Timer } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { HostedJournal } from './hosted-journal.ts'

// Longer than a network is away, shorter than anybody would want the segments of a dead client to be kept open.
const ABSENCE_MS_MAX = 10 * 60_000

interface Hosted {
  readonly hosted: HostedJournal
  /** Connections that have used it. */
  readonly sessions: Set<object>
  absence: Timer | undefined
}

export class HostedJournals {
  readonly #clock: Clock
  readonly #open = new Map<string, Hosted>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keeps an open journal under the name that its client has given it. */
  host(key: string, hosted: HostedJournal, session: object): void {
    this.#open.set(key, { hosted, sessions: new Set([session]), absence: undefined })
  }

  /** The journal of that name. @throws {VarveError} POISONED — it is not open here any more */
  use(key: string, session: object): HostedJournal {
    const open = this.#open.get(key)
    if (open === undefined) throw new VarveError('POISONED', 'the journal is not open at this service any more')
    open.absence?.cancel()
    open.absence = undefined
    open.sessions.add(session)
    return open.hosted
  }

  isOpen(key: string): boolean {
    return this.#open.has(key)
  }

  /** Closes the journal of that name, where there is one. Rejects as `Journal.close`. */
  async close(key: string): Promise<void> {
    const open = this.#open.get(key)
    this.#open.delete(key)
    open?.absence?.cancel()
    await open?.hosted.journal.close()
  }

  /** A connection has gone. */
  leave(session: object): void {
    for (const [key, open] of this.#open) {
      if (!open.sessions.delete(session) || open.sessions.size > 0) continue
      // What it fails with nobody is there to hear; its client will be told that it is not open.
      open.absence = this.#clock.after(ABSENCE_MS_MAX, () => void this.close(key).catch(() => undefined))
    }
  }

  /** Rejects as `Journal.close`, at the first that fails. */
  async closeAll(): Promise<void> {
    await Promise.all(Array.from(this.#open.keys(), (key) => this.close(key)))
  }
}
