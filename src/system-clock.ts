/** The system's clock and timers: the one place that asks for them. */

import type { Clock, Timer, TimerOptions } from './kernel/clock.ts'

// A longer timeout overflows 32 bits and would fire at once.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** The clock and the timers of the system. Holds nothing: one may serve a whole process. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(delayMs: number, task: () => void, options: TimerOptions = {}): Timer {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      const nowMs = Math.min(leftMs, TIMEOUT_MS_MAX)
      timer = setTimeout(() => (leftMs > nowMs ? wait(leftMs - nowMs) : task()), nowMs)
      if (options.keepAlive !== true) timer.unref()
    }
    wait(delayMs)
    return { cancel: () => clearTimeout(timer) }
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
