/** Time, as a port: nothing in the core asks the system for it. */

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump; no safety rule reads it. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number
  /** Runs `task` once, at least `delayMs` from now. Does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer
  /** Resolves in a later turn of the event loop, after pending I/O callbacks had their chance. */
  turn(): Promise<void>
}

export interface Timer {
  /** Idempotent. */
  cancel(): void
}
