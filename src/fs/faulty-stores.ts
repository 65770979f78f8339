/**
 * A file store and a head store that fail on purpose, for tests of what stands on them: calls that fail, calls that
 * happen though their answer is lost, calls that take their time, as a plan says.
 */

import type { Clock } from '../kernel/clock.ts'
import type { FileStore, HeadStore } from './fs.ts'
import { InterceptedFileStore } from './intercepted-file-store.ts'
import { InterceptedHeadStore } from './intercepted-head-store.ts'
import type { CallInterceptor, StoreCall } from './store-call.ts'

/** What goes wrong with one call. */
export interface Fault {
  /** The call is handed on this much later, in milliseconds. Synchronous calls cannot wait, and do not. Default 0. */
  readonly delayMs?: number
  /** What the caller gets instead of the answer. Default: the answer. */
  readonly error?: Error
  /** With an error: the call happens all the same, and its own answer is lost. Default false. */
  readonly happens?: boolean
}

/** Asked once for every call, in the order in which they are made; undefined: nothing goes wrong. */
export type FaultPlan = (call: StoreCall) => Fault | undefined

/** What goes wrong, and what delays wait for. */
export interface FaultOptions {
  /** Asked for every call. */
  readonly plan: FaultPlan
  /** For delays. */
  readonly clock: Clock
}

/** A file store over another that fails as its plan says. */
export class FaultyFileStore extends InterceptedFileStore {
  /** @param inner closed with this one */
  constructor(inner: FileStore, options: FaultOptions) {
    super(inner, new FaultInterceptor(options))
  }
}

/** A head store over another that fails as its plan says. */
export class FaultyHeadStore extends InterceptedHeadStore {
  /** @param inner has the heads */
  constructor(inner: HeadStore, options: FaultOptions) {
    super(inner, new FaultInterceptor(options))
  }
}

class FaultInterceptor implements CallInterceptor {
  readonly #plan: FaultPlan
  readonly #clock: Clock

  constructor({ plan, clock }: FaultOptions) {
    this.#plan = plan
    this.#clock = clock
  }

  async run<T>(call: StoreCall, proceed: () => Promise<T>): Promise<T> {
    const { delayMs, error, happens } = this.#plan(call) ?? {}
    if (delayMs !== undefined) await new Promise<void>((resolve) => void this.#clock.after(delayMs, resolve))
    if (error === undefined) return proceed()
    // Its answer is lost, a failure included.
    if (happens === true) await proceed().catch(() => undefined)
    throw error
  }

  runSync<T>(call: StoreCall, proceed: () => T): T {
    const { error, happens } = this.#plan(call) ?? {}
    if (error === undefined) return proceed()
    if (happens === true) {
      try {
        proceed()
      } catch {
        // Lost as well.
      }
    }
    throw error
  }
}
