/** Closing several things, one after the other: each is closed, whatever became of those before it. */

/** @throws what the first that failed has thrown, once all have been closed */
export async function closeEach(closes: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closes) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
