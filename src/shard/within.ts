/** Waiting for what may take longer than anybody wants to wait. */

import type { Clock } from '../kernel/clock.ts'

/** Resolves when `work` has, and after `ms` milliseconds at the latest; then it goes on by itself, and must not reject. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => (end = resolve))
  const timer = clock.after(ms, end, { keepAlive: true })
  await Promise.race([work, over])
  timer.cancel()
}
