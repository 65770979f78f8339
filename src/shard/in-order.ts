/** Doing something at its place among the writes, though some of them are held back. */

import type { Progress } from './progress.ts'
import type { QueuedTurn } from './write-queue.ts'

/**
 * Does `work` when everything written before the call is in the memtable and nothing written after: in this turn, where
 * no writes are held back.
 *
 * @param check throws where there is nothing to wait for any more; the work is not done then
 */
export async function inOrder<T>(
  writes: { inOrder(turn: QueuedTurn): void },
  progress: Progress,
  check: () => void,
  work: () => T,
): Promise<T> {
  let waiting = true
  const results: T[] = []
  writes.inOrder({
    run: () => {
      if (waiting) results.push(work())
      progress.wake()
    },
    reject: () => progress.wake(),
  })
  try {
    await progress.until(() => results.length > 0, check)
  } finally {
    waiting = false
  }
  return results[0] as T
}
