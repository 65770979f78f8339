/** Says of a job that its worker is still at it: to the queue, and to the job's scheduler. */

import type { Clock, Timer } from '../../kernel/clock.ts'

export interface RenewedLease {
  /** 0 … 1. */
  progress(): number
  /** To the queue. */
  renew(): void
  /** To the scheduler. @returns whether it is still wanted */
  report(fraction: number): Promise<boolean>
  /** It is not wanted any more, or nobody is there to want it. */
  stop(reason: string): void
}

// What a person sees move, and often enough for any lease.
const RENEWAL_MS_MAX = 1_000

/** Until it is cancelled. */
export function renewLease(lease: RenewedLease, leaseMs: number, clock: Clock): Timer {
  const everyMs = Math.min(RENEWAL_MS_MAX, leaseMs / 3)
  let stopped = false
  let timer: Timer | undefined
  let heardMs = clock.monotonic()
  let toldMs = -Infinity
  let said = 0
  let unwanted = false
  const tick = (): void => {
    const fraction = lease.progress()
    const nowMs = clock.monotonic()
    if (fraction > said || nowMs - toldMs >= everyMs) {
      said = fraction
      toldMs = nowMs
      // Another gets it then; whether this one has stopped is still told.
      if (!unwanted) lease.renew()
      lease.report(fraction).then(
        (wanted) => {
          heardMs = clock.monotonic()
          unwanted ||= !wanted
          if (!wanted && !stopped) lease.stop('it is not wanted any more')
        },
        () => {
          if (clock.monotonic() - heardMs > leaseMs) lease.stop('its scheduler has gone')
        },
      )
    }
    timer = clock.after(everyMs / 10, tick, { keepAlive: true })
  }
  tick()
  return {
    cancel: () => {
      stopped = true
      timer?.cancel()
    },
  }
}
