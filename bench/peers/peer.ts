/**
 * What the harness asks of a store, and how a peer is opened.
 *
 * An adapter calls what the peer's own documentation recommends for speed. It may answer without a promise where the peer
 * does. Keys and values it is given are only lent for the call.
 */

/** What a store can do besides put, batch, get and scan. A workload that needs more is left out, and the table says so. */
export interface StoreSupport {
  /** What was answered survives the end of the process. */
  readonly written: boolean
  /** Can answer a single put only when it is on the disk. */
  readonly synced: boolean
  readonly getSync: boolean
  readonly getMany: boolean
  readonly deleteRange: boolean
}

export type Value = Uint8Array | undefined
export type Visit = (key: Uint8Array, value: Uint8Array) => void

export interface ScanRequest {
  /** First key, inclusive. Default: the end where the scan begins. */
  readonly from?: Uint8Array
  readonly reverse: boolean
  readonly limit: number
}

export interface Store {
  /** Resolves when the operating system has the bytes: they survive the end of the process, not of the machine. */
  put(key: Uint8Array, value: Uint8Array): unknown
  /** Resolves when the bytes survive a power cut. */
  putSynced(key: Uint8Array, value: Uint8Array): unknown
  /** Puts entries `start … limit - 1`, all or none, as `put` does. */
  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): unknown
  get(key: Uint8Array): Promise<Value> | Value
  getSync(key: Uint8Array): Value
  getMany(keys: readonly Uint8Array[]): Promise<readonly Value[]> | readonly Value[]
  /** Visits entries in order, each with a key and a value that may be kept. */
  scan(request: ScanRequest, visit: Visit): Promise<void> | void
  /** Deletes keys from `start` up to, not including, `limit`. */
  deleteRange(start: Uint8Array, limit: Uint8Array): unknown
  /** Brings the files into their best shape: flushes and compacts whatever the peer offers to. */
  compact(): Promise<void> | void
  close(): Promise<void> | void
}

export interface StoreOptions {
  /** For block caches. */
  readonly cacheBytes: number
  /** Every commit is to reach the disk, for peers where this is a matter of opening. */
  readonly synced: boolean
}

export interface Peer {
  readonly name: string
  /** Settings as they are printed; those that the peer leaves at its own defaults are not repeated. */
  settings(options: StoreOptions): Readonly<Record<string, unknown>>
  readonly supports: StoreSupport
  /** `false`: everything is gone when the process ends, so it is no one's measure, and is filled before each workload. */
  readonly persists: boolean
  open(directory: string, options: StoreOptions): Promise<Store>
}
