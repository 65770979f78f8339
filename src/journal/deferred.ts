/**
 * A promise and its two ends. (`Promise.withResolvers` is not in Node 20.)
 *
 * An append has two promises and most callers await one: a rejection nobody listens to is not an error here.
 */

export class Deferred {
  readonly promise: Promise<void>
  #resolve: () => void = noop
  #reject: (reason: unknown) => void = noop

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  resolve(): void {
    this.#resolve()
  }

  reject(reason: unknown): void {
    this.promise.catch(noop)
    this.#reject(reason)
  }
}

/** A rejected promise that may go unobserved. */
export function rejected(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason)
  promise.catch(noop)
  return promise
}

function noop(): void {}
