/** How operations follow each other. Each of these gives the number of operations that were done. */

import type { Stopwatch } from '../measure/stopwatch.ts'

/** Asking for the time costs 30 ns, so not after every operation. */
const OPERATIONS_PER_LOOK = 64

export type Operation = (at: number) => unknown

/** One at a time. What is no promise is not awaited, as no user of a synchronous store would. */
export async function oneByOne(stopwatch: Stopwatch, size: number, operation: Operation): Promise<number> {
  for (let at = 0; at < size; at++) {
    const pending = operation(at)
    if (pending instanceof Promise) await pending
    if (at % OPERATIONS_PER_LOOK === OPERATIONS_PER_LOOK - 1 && stopwatch.expired) return at + 1
  }
  return size
}

/** `lanes` at a time, all the time. */
export async function inFlight(
  stopwatch: Stopwatch,
  size: number,
  lanes: number,
  operation: Operation,
): Promise<number> {
  let next = 0
  let stopped = false
  const lane = async (): Promise<void> => {
    while (next < size && !stopped) {
      const at = next++
      const pending = operation(at)
      if (pending instanceof Promise) await pending
      if (at % OPERATIONS_PER_LOOK === OPERATIONS_PER_LOOK - 1) stopped = stopwatch.expired
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, size) }, lane))
  return next
}

/** Without letting the event loop turn. */
export function synchronously(stopwatch: Stopwatch, size: number, operation: Operation): number {
  for (let at = 0; at < size; at++) {
    operation(at)
    if (at % OPERATIONS_PER_LOOK === OPERATIONS_PER_LOOK - 1 && stopwatch.expired) return at + 1
  }
  return size
}
