/** Many small asynchronous tasks, some at a time, with a bound on the memory they need together. */

export interface WorkLimits {
  readonly itemsMax: number
  /** A larger item runs alone. */
  readonly bytesMax: number
  readonly signal: AbortSignal
}

// Enough to keep Node's four file threads and the engine busy; more only costs memory.
const ITEMS_MAX = 16
const BYTES_MAX = 64 * 1024 * 1024

export function workLimits(signal: AbortSignal): WorkLimits {
  return { itemsMax: ITEMS_MAX, bytesMax: BYTES_MAX, signal }
}

/**
 * Runs `work` for each of `items`, started in order. The first failure stops the start of more and is thrown once all
 * that run have ended.
 */
export async function forEachBounded<Item>(
  items: Iterable<Item>,
  limits: WorkLimits,
  bytesOf: (item: Item) => number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  let bytes = 0
  for (const item of items) {
    const needed = bytesOf(item)
    while (running.size >= limits.itemsMax || (running.size > 0 && bytes + needed > limits.bytesMax)) {
      await Promise.race(running)
    }
    if (failures.length > 0 || limits.signal.aborted) break
    bytes += needed
    const task: Promise<void> = work(item)
      .catch((error: unknown) => {
        failures.push(error)
      })
      .finally(() => {
        bytes -= needed
        running.delete(task)
      })
    running.add(task)
  }
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
  limits.signal.throwIfAborted()
}
