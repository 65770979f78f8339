/** Waiting for shared work: a waiter may leave, the work goes on for the others. */

import { VarveError, throwIfAborted } from '../kernel/errors.ts'

/** Those who wait under one signal, behind one listener. */
class Waiters {
  readonly #signal: AbortSignal
  readonly #leave = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(leave: () => void): void {
    if (this.#leave.size === 0) this.#signal.addEventListener('abort', this.#leaveAll)
    this.#leave.add(leave)
  }

  delete(leave: () => void): void {
    this.#leave.delete(leave)
    if (this.#leave.size === 0) this.#signal.removeEventListener('abort', this.#leaveAll)
  }

  readonly #leaveAll = (): void => {
    for (const leave of this.#leave) leave()
  }
}

// A merge waits for all its inputs at once, a program for many reads, and Node warns of a leak at the eleventh listener.
const waitersOf = new WeakMap<AbortSignal, Waiters>()

/** What `work` settles with, unless `signal` aborts first. @throws {VarveError} ABORTED */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  if (signal.aborted) {
    // It has begun: where it fails, nobody is left to hear of it, which Node takes for a reason to end the process.
    work.catch(() => undefined)
    throwIfAborted(signal)
  }
  let waiters = waitersOf.get(signal)
  if (waiters === undefined) waitersOf.set(signal, (waiters = new Waiters(signal)))
  const joined = waiters
  return await new Promise<T>((resolve, reject) => {
    const leave = (): void => reject(abortedError(signal))
    joined.add(leave)
    work.then(resolve, reject).finally(() => joined.delete(leave))
  })
}

function abortedError(signal: AbortSignal): VarveError {
  return new VarveError('ABORTED', 'the operation was aborted', { cause: signal.reason })
}
