/**
 * The entries of a scan one by one, for `for await`.
 *
 * An async generator awaits what it yields and makes three promises of it: 230 to 300 ns an entry in a loop of its own, 110 to
 * 190 with this. Otherwise it behaves as one: calls are answered in order, and an error or `return` ends it.
 */

import { throwIfAborted } from '../../kernel/errors.ts'
import type { KvEntry, KvScan } from './kv.ts'

// A loop that ends early should not pay for a thousand entries: the first chunk is small, and each that follows four times as large.
const FIRST_COUNT = 16
const COUNT_MAX = 1024

export class ScanEntries implements AsyncIterableIterator<KvEntry, undefined> {
  readonly #scan: Pick<KvScan, 'next' | 'close'>
  readonly #signal: AbortSignal | undefined
  #entries: readonly KvEntry[] = []
  /** Of the entry that is next. */
  #at = 0
  /** Of the next chunk. */
  #count = FIRST_COUNT
  #ended = false
  /** Calls that have not been answered, and the last of them, when it has been. */
  #calls = 0
  #last: Promise<unknown> | undefined

  constructor(scan: Pick<KvScan, 'next' | 'close'>, signal: AbortSignal | undefined) {
    this.#scan = scan
    this.#signal = signal
  }

  next(): Promise<IteratorResult<KvEntry, undefined>> {
    const at = this.#at
    // What was read ahead is a thousand turns of the caller's loop: whether it is to end is asked before each.
    if (this.#calls > 0 || at === this.#entries.length || this.#signal?.aborted === true)
      return this.#inTurn(() => this.#next())
    this.#at = at + 1
    return Promise.resolve({ done: false, value: this.#entries[at] as KvEntry })
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    return this.#inTurn(() => {
      this.#end()
      return done()
    })
  }

  throw(error?: unknown): Promise<IteratorReturnResult<undefined>> {
    return this.#inTurn(() => {
      this.#end()
      throw error
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<KvEntry, undefined>> {
    if (this.#ended) return done()
    try {
      if (this.#signal !== undefined) throwIfAborted(this.#signal)
      if (this.#at === this.#entries.length) {
        this.#at = 0
        this.#entries = []
        this.#entries = await this.#scan.next(this.#count)
        this.#count = Math.min(COUNT_MAX, this.#count * 4)
      }
    } catch (error) {
      this.#end()
      throw error
    }
    const value = this.#entries[this.#at++]
    if (value !== undefined) return { done: false, value }
    this.#end()
    return done()
  }

  #end(): void {
    this.#ended = true
    this.#at = 0
    this.#entries = []
    this.#scan.close()
  }

  /** After the calls that came before, however they end. */
  #inTurn<T>(task: () => T | Promise<T>): Promise<T> {
    this.#calls++
    const turn = this.#run(task, this.#last)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #run<T>(task: () => T | Promise<T>, former: Promise<unknown> | undefined): Promise<T> {
    if (former !== undefined) await former
    try {
      return await task()
    } finally {
      // Before the caller goes on: its next call finds nobody before it.
      if (--this.#calls === 0) this.#last = undefined
    }
  }
}

function done(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined }
}
