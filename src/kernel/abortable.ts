/** Waiting for shared work: a waiter may leave, the work goes on for the others. */

import { onAbort } from './abort-listener.ts'
import { VarveError, throwIfAborted } from './errors.ts'

/** What `work` settles with, unless `signal` aborts first. @throws {VarveError} ABORTED */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  if (signal.aborted) {
    // It has begun: where it fails, nobody is left to hear of it, which Node takes for a reason to end the process.
    work.catch(() => undefined)
    throwIfAborted(signal)
  }
  return await new Promise<T>((resolve, reject) => {
    const end = onAbort(signal, () => reject(abortedError(signal)))
    work.then(resolve, reject).finally(end)
  })
}

function abortedError(signal: AbortSignal): VarveError {
  return new VarveError('ABORTED', 'the operation was aborted', { cause: signal.reason })
}
