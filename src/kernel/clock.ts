/** Time, as a port: nothing in the core asks the system for it. */

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump; no safety rule reads it. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number
  /** Runs `task` once, at least `delayMs` from now. */
  after(delayMs: number, task: () => void, options?: TimerOptions): Timer
  /** Resolves in a later turn of the event loop, after pending I/O callbacks had their chance. */
  turn(): Promise<void>
}

/** Of `Clock.after`. */
export interface TimerOptions {
  /** The process does not end before `task` has run or was cancelled. Default false. */
  readonly keepAlive?: boolean
}

/** A task that a clock has been asked to run. */
export interface Timer {
  /** Idempotent. */
  cancel(): void
}
