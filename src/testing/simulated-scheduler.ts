/**
 * Virtual time and chance for a whole test: whatever waits, for a disk, for a timer or for its turn, waits here, and one
 * thing happens at a time. The seed decides which of those that are due about now. As promises run in order between two
 * events (ECMAScript jobs are first in, first out, and Node empties their queue between callbacks), one seed is one
 * history, in every process.
 *
 * The way FoundationDB, TigerBeetle and SlateDB test.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import { SimulatedClock } from './simulated-clock.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Something that is to happen. */
export interface SimulatedEvent {
  /** When it is due, in virtual milliseconds. */
  at: number
  /** What it is, for the trace. */
  readonly label: string
  /** To whom it happens. */
  readonly process: SimulatedProcess
  /** Makes it happen. */
  readonly happen: () => void
  /** It was taken back. */
  cancelled: boolean
}

/** How a history comes about. */
export interface SimulatedSchedulerOptions {
  /** Decides between events that are due; the same seed, the same history. */
  readonly random: SeededRandom
  /** Events so close together may happen in any order, in milliseconds. Default 1. */
  readonly slackMs?: number
  /** Sees every event when it happens. */
  readonly trace?: (label: string, atMs: number) => void
}

// Nothing waits for a year; what keeps a process alive while a call waits is a timer over and over.
const SETTLES_WITHIN_MS = 365 * 86_400_000

/** One history: events in an order that the seed decides. */
export class SimulatedScheduler {
  readonly #options: SimulatedSchedulerOptions
  // For its turn of the real event loop: promises run to their end in between.
  readonly #real = new SimulatedClock()
  readonly #events: SimulatedEvent[] = []
  #monotonic = 0
  #processes = 0

  constructor(options: SimulatedSchedulerOptions) {
    this.#options = options
  }

  /** Virtual time, in milliseconds from 0 on. */
  get monotonic(): number {
    return this.#monotonic
  }

  /** Somebody who waits. */
  process(): SimulatedProcess {
    return new SimulatedProcess(this, ++this.#processes)
  }

  /** Lets things happen until `work` settles. @throws {Error} where it never would: nothing, or only timers, are left */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const settle = (): void => void (settled = true)
    work.then(settle, settle)
    const limitMs = this.#monotonic + SETTLES_WITHIN_MS
    await this.#real.turn()
    while (!settled) {
      if (this.#monotonic > limitMs) throw new Error('a call never settles: a year has passed')
      if (!this.#happen()) throw new Error('a call never settles: nothing is left to happen')
      await this.#real.turn()
    }
    return work
  }

  /** Lets things happen for `ms`. */
  async pass(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    await this.#real.turn()
    while (this.#earliest() <= until) {
      this.#happen()
      await this.#real.turn()
    }
    this.#monotonic = Math.max(this.#monotonic, until)
  }

  /** @returns how to take it back */
  add(process: SimulatedProcess, delayMs: number, label: string, happen: () => void): () => void {
    const event = { at: this.#monotonic + delayMs, label, process, happen, cancelled: false }
    this.#events.push(event)
    return () => {
      event.cancelled = true
      this.#remove(event)
    }
  }

  /** What a process has slept through is due now, in no order. */
  wake(events: readonly SimulatedEvent[]): void {
    for (const event of events) {
      if (event.cancelled) continue
      event.at = this.#monotonic
      this.#events.push(event)
    }
  }

  #happen(): boolean {
    const { random, slackMs = 1, trace } = this.#options
    const limit = this.#earliest() + slackMs
    let due = 0
    for (const { at } of this.#events) if (at <= limit) due++
    const event = this.#dueAt(random.below(Math.max(1, due)), limit)
    if (event === undefined) return false
    this.#remove(event)
    this.#monotonic = Math.max(this.#monotonic, event.at)
    if (!event.process.alive) return true
    if (event.process.stopped) {
      event.process.miss(event)
      return true
    }
    trace?.(`${event.process.id} ${event.label}`, this.#monotonic)
    event.happen()
    return true
  }

  /** The event that is `index`th of those up to `limit`. */
  #dueAt(index: number, limit: number): SimulatedEvent | undefined {
    let left = index
    for (const event of this.#events) if (event.at <= limit && left-- === 0) return event
    return undefined
  }

  #earliest(): number {
    let earliest = Infinity
    for (const { at } of this.#events) if (at < earliest) earliest = at
    return earliest
  }

  #remove(event: SimulatedEvent): void {
    const index = this.#events.indexOf(event)
    if (index >= 0) this.#events.splice(index, 1)
  }
}

/**
 * A simulated process: its clock, its timers, and what it waits for. Killed, nothing happens to it any more; stopped, nothing
 * until it goes on, and then everything that was due at once.
 */
export class SimulatedProcess implements Clock {
  /** Its number, from 1 on. */
  readonly id: number
  readonly #scheduler: SimulatedScheduler
  readonly #missed: SimulatedEvent[] = []
  #alive = true
  #stopped = false
  /** The wall clock is so far from the monotonic one, in milliseconds. May be changed at any time. */
  skewMs = 1_700_000_000_000

  /** Use `SimulatedScheduler.process`. */
  constructor(scheduler: SimulatedScheduler, id: number) {
    this.#scheduler = scheduler
    this.id = id
  }

  /** It has not been killed. */
  get alive(): boolean {
    return this.#alive
  }

  /** It has been stopped, and not resumed. */
  get stopped(): boolean {
    return this.#stopped
  }

  now(): number {
    return this.#scheduler.monotonic + this.skewMs
  }

  monotonic(): number {
    return this.#scheduler.monotonic
  }

  after(delayMs: number, task: () => void): Timer {
    return { cancel: this.#scheduler.add(this, delayMs, 'timer', task) }
  }

  turn(): Promise<void> {
    return this.sleep(0, 'turn')
  }

  /** Resolves after `delayMs` of virtual time; never, where the process is killed meanwhile. */
  sleep(delayMs: number, label = 'sleep'): Promise<void> {
    return new Promise((resolve) => void this.#scheduler.add(this, delayMs, label, resolve))
  }

  /** Nothing happens to it any more. Idempotent. */
  kill(): void {
    this.#alive = false
  }

  /** As SIGSTOP does. Time goes by. */
  stop(): void {
    this.#stopped = true
  }

  /** As SIGCONT does. */
  resume(): void {
    this.#stopped = false
    this.#scheduler.wake(this.#missed.splice(0))
  }

  /** Would have happened now. */
  miss(event: SimulatedEvent): void {
    this.#missed.push(event)
  }
}
