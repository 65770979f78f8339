/** One call of a file store, of a file of it, or of a head store, as whoever stands in between sees it. */

export type StoreOperation =
  | 'create'
  | 'open'
  | 'list'
  | 'remove'
  | 'freeBytes'
  | 'close'
  | 'write'
  | 'finish'
  | 'abort'
  | 'read'
  | 'closeReader'
  | 'readHead'
  | 'compareAndSet'

/** What was called, and with how much. Plain data; never content. */
export interface StoreCall {
  /** Which method of which port. */
  readonly operation: StoreOperation
  /** Of the file or shard; the prefix of a `list`; the names of a `remove` with commas between; else empty. */
  readonly name: string
  /** Where a `read` or `write` begins, in bytes; else 0. */
  readonly offset: number
  /** Asked for by a `read`; given to a `write` or `compareAndSet`; length of the file for `open` and `finish`; else 0. */
  readonly bytes: number
  /** It is the synchronous twin. */
  readonly sync: boolean
}

/** Stands between a caller and a store. */
export interface CallInterceptor {
  /** Answers `call`; `proceed` hands it on, and may be called once or not at all. */
  run<T>(call: StoreCall, proceed: () => Promise<T>): Promise<T>
  /** The same for a synchronous twin. */
  runSync<T>(call: StoreCall, proceed: () => T): T
}

export function storeCall(operation: StoreOperation, name = '', offset = 0, bytes = 0, sync = false): StoreCall {
  return { operation, name, offset, bytes, sync }
}
