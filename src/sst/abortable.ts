/** Waiting for shared work: a waiter may leave, the work goes on for the others. */

import { VarveError, throwIfAborted } from '../kernel/errors.ts'

/** What `work` settles with, unless `signal` aborts first. @throws {VarveError} ABORTED */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  throwIfAborted(signal)
  return await new Promise<T>((resolve, reject) => {
    const leave = (): void => reject(abortedError(signal))
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

function abortedError(signal: AbortSignal): VarveError {
  return new VarveError('ABORTED', 'the operation was aborted', { cause: signal.reason })
}
