/** Asks again what was not answered: connections are made anew, and leaders are elected, within seconds. */

import type { Clock } from '../kernel/clock.ts'
import { isCode } from '../kernel/errors.ts'
import type { Streams } from './nats.ts'

export interface Patience {
  readonly clock: Clock
  /** How long nothing may be answered, in milliseconds. */
  readonly resumeMs: number
}

/** Less, where nobody has ever answered: then there is perhaps nobody. */
export function patienceOf(streams: Pick<Streams, 'openMs'>, { clock, resumeMs }: Patience): Patience {
  return {
    clock,
    get resumeMs() {
      return Math.min(streams.openMs ?? Infinity, resumeMs)
    },
  }
}

/** Pauses between tries, each twice as long as the one before. */
export const RETRY_MS_MIN = 20
export const RETRY_MS_MAX = 1_000

/**
 * Calls again after IO_FAILED, for `resumeMs` at the most. For what may happen twice.
 *
 * @param progress the time begins anew when this has changed
 */
export async function patiently<Answer>(
  patience: Patience,
  call: () => Promise<Answer>,
  progress: () => number = () => 0,
): Promise<Answer> {
  const { clock } = patience
  let sinceMs = clock.monotonic()
  let delayMs = RETRY_MS_MIN
  for (let seen = progress(); ;) {
    try {
      return await call()
    } catch (error) {
      if (progress() !== seen) {
        seen = progress()
        sinceMs = clock.monotonic()
        delayMs = RETRY_MS_MIN
      }
      if (!isCode(error, 'IO_FAILED') || clock.monotonic() - sinceMs >= patience.resumeMs) throw error
      await pause(clock, delayMs)
      delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)
    }
  }
}

/** Keeps the process alive meanwhile. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve, { keepAlive: true }))
}
