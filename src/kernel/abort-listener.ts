/**
 * Hearing of an abort, together: all who listen to one signal share one listener of it.
 *
 * A merge waits for all its inputs under one signal, a program for many reads, and Node warns of a leak at the eleventh
 * listener.
 */

class Listeners {
  readonly #signal: AbortSignal
  readonly #tasks = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(task: () => void): void {
    if (this.#tasks.size === 0) this.#signal.addEventListener('abort', this.#run)
    this.#tasks.add(task)
  }

  delete(task: () => void): void {
    this.#tasks.delete(task)
    if (this.#tasks.size === 0) this.#signal.removeEventListener('abort', this.#run)
  }

  readonly #run = (): void => {
    for (const task of this.#tasks) task()
  }
}

// Belongs to the signals: gone with them.
const listenersOf = new WeakMap<AbortSignal, Listeners>()

/**
 * Calls `task` when `signal` aborts; not where it has aborted already.
 *
 * @param task a function of its own: the same one is called once
 * @returns ends that. Idempotent; to be called, so that a signal that lives on keeps nothing.
 */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  let listeners = listenersOf.get(signal)
  if (listeners === undefined) listenersOf.set(signal, (listeners = new Listeners(signal)))
  const joined = listeners
  joined.add(task)
  return () => joined.delete(task)
}
