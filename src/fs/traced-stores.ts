/**
 * A file store and a head store that tell of every call: what, where, how many bytes, how long, and how it ended.
 *
 * Nothing below knows of this: a composition that does not wrap its stores pays nothing.
 */

import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileStore, HeadStore } from './fs.ts'
import { InterceptedFileStore } from './intercepted-file-store.ts'
import { InterceptedHeadStore } from './intercepted-head-store.ts'
import type { CallInterceptor, StoreCall } from './store-call.ts'

/** One call that has ended. Plain data; never content. */
export interface TraceEvent extends StoreCall {
  /** By the clock's `monotonic()`, in milliseconds. */
  readonly startMs: number
  /** From the call to its end, in milliseconds. */
  readonly durationMs: number
  /** Code of the `VarveError`, or name of another error; absent where the call succeeded. */
  readonly error?: string
}

/** Where events go, and what times them. */
export interface TraceOptions {
  /** Times calls. */
  readonly clock: Clock
  /** Called when a call has ended, before its caller hears of it. Must not throw: the call would fail. */
  readonly sink: (event: TraceEvent) => void
}

/** A file store over another that tells of every call. */
export class TracedFileStore extends InterceptedFileStore {
  /** @param inner closed with this one */
  constructor(inner: FileStore, options: TraceOptions) {
    super(inner, new Tracer(options))
  }
}

/** A head store over another that tells of every call. */
export class TracedHeadStore extends InterceptedHeadStore {
  /** @param inner has the heads */
  constructor(inner: HeadStore, options: TraceOptions) {
    super(inner, new Tracer(options))
  }
}

class Tracer implements CallInterceptor {
  readonly #clock: Clock
  readonly #sink: (event: TraceEvent) => void

  constructor({ clock, sink }: TraceOptions) {
    this.#clock = clock
    this.#sink = sink
  }

  async run<T>(call: StoreCall, proceed: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonic()
    let answer: T
    try {
      answer = await proceed()
    } catch (error) {
      this.#tell(call, startMs, error)
      throw error
    }
    this.#tell(call, startMs)
    return answer
  }

  runSync<T>(call: StoreCall, proceed: () => T): T {
    const startMs = this.#clock.monotonic()
    let answer: T
    try {
      answer = proceed()
    } catch (error) {
      this.#tell(call, startMs, error)
      throw error
    }
    this.#tell(call, startMs)
    return answer
  }

  #tell(call: StoreCall, startMs: number, error?: unknown): void {
    const durationMs = this.#clock.monotonic() - startMs
    this.#sink({ ...call, startMs, durationMs, ...(error === undefined ? {} : { error: nameOf(error) }) })
  }
}

function nameOf(error: unknown): string {
  if (error instanceof VarveError) return error.code
  return error instanceof Error ? error.name : 'Error'
}
