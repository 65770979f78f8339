/**
 * What clients have open at a service, under names that only they know: it outlives their connections for a while, so that
 * a client that comes back on another one goes on where it was.
 */

import type { Clock, Timer } from '../kernel/clock.ts'

interface Held<T> {
  readonly value: Promise<T>
  /** Connections that have used it and are there. */
  readonly sessions: Set<object>
  absence: Timer | undefined
}

export class HeldOpen<T> {
  readonly #clock: Clock
  readonly #absenceMs: number
  readonly #release: (value: T) => Promise<void>
  readonly #held = new Map<string, Held<T>>()
  readonly #counts = new WeakMap<object, number>()
  readonly #releasing = new Set<Promise<void>>()
  #closed = false

  /** @param release ends what nobody has come back for within `absenceMs`; what it fails with nobody is there to hear */
  constructor(clock: Clock, absenceMs: number, release: (value: T) => Promise<void>) {
    this.#clock = clock
    this.#absenceMs = absenceMs
    this.#release = release
  }

  /** What is held under `key`, or what `open` makes: asked twice, because an answer was lost, it is opened once. */
  async open(key: string, session: object, open: () => Promise<T>): Promise<T> {
    const there = this.use(key, session)
    if (there !== undefined) return there
    const held: Held<T> = { value: open(), sessions: new Set(), absence: undefined }
    this.#held.set(key, held)
    this.#join(held, session)
    try {
      await held.value
    } catch (error) {
      if (this.#held.get(key) === held) this.#forget(key, held)
      throw error
    }
    if (this.#closed) this.#end(held)
    return held.value
  }

  /** Undefined: nothing is held under `key`, not any more. */
  use(key: string, session: object): Promise<T> | undefined {
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    held.absence?.cancel()
    held.absence = undefined
    this.#join(held, session)
    return held.value
  }

  /** Holds it no more. @returns what it was; releasing it is the caller's */
  async take(key: string): Promise<T | undefined> {
    const held = this.#held.get(key)
    if (held !== undefined) this.#forget(key, held)
    return held?.value
  }

  /** How many things `session` has used that are still held. */
  countOf(session: object): number {
    return this.#counts.get(session) ?? 0
  }

  /** A connection has gone. */
  leave(session: object): void {
    for (const [key, held] of this.#held) {
      if (!held.sessions.delete(session) || held.sessions.size > 0) continue
      held.absence = this.#clock.after(this.#absenceMs, () => {
        this.#forget(key, held)
        this.#end(held)
      })
    }
  }

  /** Releases everything. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [key, held] of this.#held) {
      this.#forget(key, held)
      this.#end(held)
    }
    await Promise.all(this.#releasing)
  }

  #join(held: Held<T>, session: object): void {
    if (held.sessions.has(session)) return
    held.sessions.add(session)
    this.#counts.set(session, this.countOf(session) + 1)
  }

  #forget(key: string, held: Held<T>): void {
    this.#held.delete(key)
    held.absence?.cancel()
    for (const session of held.sessions) this.#counts.set(session, this.countOf(session) - 1)
  }

  #end({ value }: Held<T>): void {
    const releasing = value.then((found) => this.#release(found)).catch(() => undefined)
    this.#releasing.add(releasing)
    void releasing.then(() => this.#releasing.delete(releasing))
  }
}
