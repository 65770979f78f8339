import type { Clock } from '../../src/kernel/clock.ts'

/** Time goes by as fast as the event loop turns. */
export class TurningClock implements Clock {
  #turns = 0

  now(): number {
    return this.#turns
  }

  monotonic(): number {
    return this.#turns
  }

  after(delayMs: number, task: () => void): { cancel(): void } {
    let cancelled = false
    const at = this.#turns + delayMs
    const wait = (): void => {
      if (cancelled) return
      this.#turns++
      if (this.#turns >= at) task()
      else setImmediate(wait)
    }
    setImmediate(wait)
    return { cancel: () => void (cancelled = true) }
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
