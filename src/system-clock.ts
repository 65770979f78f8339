/** The system's clock and timers: the one place that asks for them. */

import type { Clock, Timer } from './kernel/clock.ts'

export class SystemClock implements Clock {
  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
