/**
 * What the addon exports (native/addon.c): system calls that Node does not have, LZ4 and checksums.
 *
 * Numbers that are results are what the call has to say, or minus the system's error number. Wrong arguments are a
 * TypeError. An addon belongs to the thread that loaded it.
 */

export interface NativeAddon {
  /** Of what is declared here. */
  readonly interfaceVersion: number
  /** Bytes read from the page cache, 0 at the end of the file; -EAGAIN where the next byte is not there. */
  readNow(fd: number, into: Uint8Array, position: number): number
  /** Bytes read, 0 at the end of the file. Waits for the disk where it must. */
  readAt(fd: number, into: Uint8Array, position: number): number
  /** Bytes written. */
  writeAt(fd: number, bytes: Uint8Array, position: number): number
  /** Bytes of the LZ4 block of [start, limit) of `source` that is in `into` from `intoStart` on; 0: there may not be room. */
  encodeLz4(source: Uint8Array, start: number, limit: number, into: Uint8Array, intoStart: number): number
  /** 1 where the LZ4 block in `source[start…)` is well-formed and fills `into`, which it is decoded to; otherwise 0. */
  decodeLz4(source: Uint8Array, start: number, into: Uint8Array): number
  /** `Lz4.decodeRowBlock`: 1 where it was done, otherwise 0. */
  decodeRowBlock(stored: Uint8Array, seed: bigint, checksum: bigint, block: Uint8Array): number
  /** XXH32. */
  hash32(bytes: Uint8Array, seed: number): number
  /** XXH64. */
  hash64(bytes: Uint8Array, seed: bigint): bigint
  /** XXH64 of bytes that come in pieces: `state` are `HASH_STATE_BYTES` that nobody else writes. */
  beginHash64(state: Uint8Array, seed: bigint): void
  updateHash64(state: Uint8Array, bytes: Uint8Array): void
  /** Of all bytes so far; changes nothing. */
  endHash64(state: Uint8Array): bigint
  /** 1 where files in `directory` can be read so, 0 where not. */
  takesNowait(directory: string): number
  /** Takes a lock on the open file if that is possible at once, until it is closed: -EAGAIN where another has it. */
  lockFile(fd: number, exclusive: boolean): number
  /** Drops what the page cache has of a file and the disk has too. For tests and measurements. */
  dropCache(fd: number): number
  /** Gives the system what the allocator of this process keeps of freed memory: 1 where that was something. */
  giveMemoryBack(): number
  /**
   * Starts a thread for requests, or says why not.
   *
   * @param results pairs of request number and result, filled before each call of `done`
   * @param done takes the number of pairs; must not throw, nor keep the queue alive
   */
  openQueue(
    kind: typeof QUEUE_OF_CALLS | typeof QUEUE_WITH_RING,
    results: Int32Array,
    done: QueueDone,
  ): NativeQueue | number
  /** Stages a read. `into` stays pinned until it is done. */
  pushRead(queue: NativeQueue, id: number, fd: number, into: Uint8Array, position: number): void
  /** Stages an `fdatasync`. Only for a queue of calls. */
  pushSync(queue: NativeQueue, id: number, fd: number): void
  /**
   * Stages the decoding of a group: `[stored, memory, tasks]`, as `DecodeThread.begin` has them. Only for a queue of calls. The
   * result is how many were decoded.
   */
  pushDecode(queue: NativeQueue, id: number, group: readonly [Uint8Array, Uint8Array, Uint8Array]): void
  /** Fills `results` with what is done and `done` has not been told of; the number of pairs. */
  takeDone(queue: NativeQueue): number
  /** Hands what is staged to the thread. */
  flush(queue: NativeQueue): void
  /** Ends the thread once everything is done. Idempotent. */
  closeQueue(queue: NativeQueue): void
}

/** Of a hash over bytes that come in pieces. */
export const HASH_STATE_BYTES = 80

/** One system call after the other. */
export const QUEUE_OF_CALLS = 0
/** Reads through io_uring, many at once. */
export const QUEUE_WITH_RING = 1

export type QueueDone = (count: number) => void

declare const nativeQueueTag: unique symbol
/** Opaque. */
export type NativeQueue = object & { readonly [nativeQueueTag]: true }
