/** Requests to a thread of the addon, as promises. What is asked for in one turn goes to the thread together. */

import type { NativeAddon, NativeQueue, QueueDone } from './native.ts'
import { QUEUE_OF_CALLS, QUEUE_WITH_RING } from './native.ts'

// Completions handed over in one call; more make several.
const RESULTS_AT_ONCE = 256

interface Request {
  readonly resolve: (result: number) => void
}

export class RequestQueue {
  readonly #addon: NativeAddon
  readonly #queue: NativeQueue
  readonly #requests: Requests
  readonly #settle: QueueDone
  #flushing = false
  #closed = false

  private constructor(addon: NativeAddon, queue: NativeQueue, requests: Requests, settled: QueueDone) {
    this.#addon = addon
    this.#queue = queue
    this.#requests = requests
    this.#settle = settled
  }

  /** @returns undefined where the kernel has no such thing, or lets nobody use it */
  static open(addon: NativeAddon, kind: 'calls' | 'ring'): RequestQueue | undefined {
    const requests = new Requests()
    const results = new Int32Array(2 * RESULTS_AT_ONCE)
    const number = kind === 'ring' ? QUEUE_WITH_RING : QUEUE_OF_CALLS
    const settled = settle(requests, results)
    const queue = addon.openQueue(number, results, settled)
    return typeof queue === 'number' ? undefined : new RequestQueue(addon, queue, requests, settled)
  }

  /** Bytes read, or minus the error number. `into` is lent until the promise settles. */
  read(fd: number, into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve) => {
      const id = this.#requests.add({ resolve })
      this.#addon.pushRead(this.#queue, id, fd, into, position)
      if (this.#flushing) return
      this.#flushing = true
      queueMicrotask(this.#flush)
    })
  }

  /** 0, or minus the error number. */
  sync(fd: number): Promise<number> {
    return new Promise((resolve) => {
      this.#addon.pushSync(this.#queue, this.#requests.add({ resolve }), fd)
      this.#addon.flush(this.#queue)
    })
  }

  /** Decodes a group of blocks; see `NativeAddon.pushDecode`. `done` must not throw. */
  decode(group: readonly [Uint8Array, Uint8Array, Uint8Array], done: () => void): void {
    this.#addon.pushDecode(this.#queue, this.#requests.add({ resolve: done }), group)
    this.#addon.flush(this.#queue)
  }

  /** Settles what is done without waiting for the event loop. */
  takeDone(): void {
    this.#settle(this.#addon.takeDone(this.#queue))
  }

  /** Waits for requests under way. Idempotent; nothing may be asked for after it. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#requests.idle()
    this.#addon.closeQueue(this.#queue)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    this.#addon.flush(this.#queue)
  }
}

/** Requests under way, by number: numbers are used again. */
class Requests {
  readonly #requests: (Request | undefined)[] = []
  readonly #free: number[] = []
  #count = 0
  #idle: (() => void)[] = []

  add(request: Request): number {
    const id = this.#free.pop() ?? this.#requests.length
    this.#requests[id] = request
    this.#count++
    return id
  }

  take(id: number): Request {
    const request = this.#requests[id] as Request
    this.#requests[id] = undefined
    this.#free.push(id)
    this.#count--
    if (this.#count === 0 && this.#idle.length > 0) {
      for (const resume of this.#idle) resume()
      this.#idle = []
    }
    return request
  }

  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resume) => this.#idle.push(resume))
  }
}

/** Knows the requests and not the queue, which nobody would ever collect otherwise. */
function settle(requests: Requests, results: Int32Array): QueueDone {
  return (count) => {
    for (let index = 0; index < count; index++) {
      requests.take(results[2 * index] as number).resolve(results[2 * index + 1] as number)
    }
  }
}
