/**
 * The file-store port and the head-store port.
 *
 * Files are immutable and a name is used once, ever. The head is the only mutable object of a shard and changes only by
 * compare-and-set. One object often implements both; they are separate ports because another service (a database, a
 * replicated log) may keep the heads.
 *
 * Who may delete, and when, is the shard's business: a store does not count references.
 */

import type { FileName, ShardId } from '../kernel/ids.ts'
import type { FileRef } from '../kernel/file-ref.ts'

/** Which of the optional halves a file store has. Does not change. */
export interface FileStoreSupport {
  /** `openSync` and `readSync` exist: a read of cached bytes costs microseconds, not a round trip. */
  readonly syncRead: boolean
  /** `readNow` tells what is in memory. Where not, it knows of nothing. */
  readonly readNow: boolean
}

/**
 * Immutable files by name. Calls may overlap; whoever opens a reader or begins a writer closes, finishes or aborts it.
 */
export interface FileStore {
  /** Recorded for people; a file store of another name may open the same files. */
  readonly name: string
  /** What may be asked of it. */
  readonly supports: FileStoreSupport
  /**
   * Begins a file. Nothing of it is visible or listed until `finish()`.
   *
   * @throws {VarveError} EXISTS — the name has been used (where the store can tell; at the latest `finish()` tells)
   * @throws {VarveError} NO_SPACE, READ_ONLY, PERMISSION_DENIED, OUT_OF_FILES, IO_FAILED
   */
  create(name: FileName, options?: CreateOptions): Promise<FileWriter>
  /**
   * Opens a finished file. Compares the length with `ref`, not the checksum (that would read it all).
   *
   * @throws {VarveError} FILE_MISSING — not there, or of another length
   * @throws {VarveError} OUT_OF_FILES — never to be read as "missing"
   */
  open(ref: FileRef, options?: OpenOptions): Promise<FileReader>
  /** Twin of `open`, where `supports.syncRead`; otherwise throws WOULD_BLOCK. */
  openSync(ref: FileRef, options?: OpenOptions): FileReader
  /** Finished files whose name starts with `prefix`, in no particular order. */
  list(prefix?: string, options?: AbortOptions): Promise<readonly FileInfo[]>
  /** Removes finished files; a name that is not there is no error. Readers that are open go on reading. */
  remove(names: readonly FileName[], options?: AbortOptions): Promise<void>
  /** Bytes accepted by writers and not yet handed on, of all of them together. */
  readonly pendingBytes: number
  /** Above this many pending bytes, wait for `ready()` before writing more. */
  readonly pendingBytesMax: number
  /** Resolves when `pendingBytes` is below its limit. @throws {VarveError} CLOSED — it was when this was called */
  ready(): Promise<void>
  /** Free bytes for new files, or undefined where there is no such number. */
  freeBytes(): Promise<number | undefined>
  /** Idempotent. Writers not finished are aborted; open readers are closed. */
  close(): Promise<void>
}

/** A call that may be given up. */
export interface AbortOptions {
  /** Gives the call up: it rejects, with ABORTED where nothing is left in doubt. Default: nobody does. */
  readonly signal?: AbortSignal
}

/** How a reader is to read. */
export interface ReadOptions extends AbortOptions {
  /**
   * Memory, lent until the read settles, that may hold the answer: its first bytes, where it is long enough and the
   * implementation has no better place. For those who read much and keep nothing.
   */
  readonly into?: Uint8Array
}

/** The signal may also end what the writer does, with ABORTED: whoever aborts does not want the file. */
export interface CreateOptions extends AbortOptions {
  /** Expected length, in bytes: a hint for placement and preallocation. Default: nobody knows. */
  readonly expectedBytes?: number
}

/** How a reader will be used: `point` reads are few and anywhere, `stream` reads go through the file once. */
export type ReadIntent = 'point' | 'stream'

/** How a file is to be opened. */
export interface OpenOptions extends AbortOptions {
  /** Default `point`. */
  readonly intent?: ReadIntent
}

/** One entry of a `list`. */
export interface FileInfo {
  /** Names are used once: it has never meant another file. */
  readonly name: FileName
  /** Its length, in bytes. */
  readonly bytes: number
}

/** A file that is being written. Whoever began it calls `finish` or `abort`; one caller at a time. */
export interface FileWriter {
  /** As given to `create`. */
  readonly name: FileName
  /** Bytes written so far. */
  readonly bytes: number
  /** Appends. `bytes` are lent until the promise settles. Calls may not overlap. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Makes content and name durable, then visible. After a failure the writer is finished with: `abort()` it.
   *
   * @throws {VarveError} EXISTS — the name has been used
   * @throws {VarveError} OUTCOME_UNKNOWN — a sync failed; the file may or may not be there
   */
  finish(): Promise<FileRef>
  /** Discards. Idempotent; does nothing after `finish()` resolved. */
  abort(): Promise<void>
}

/** An open file. Reads may overlap. Whoever opened it closes it. */
export interface FileReader {
  /** As given to `open`. */
  readonly ref: FileRef
  /**
   * Exactly `length` bytes from `offset`, in memory the caller owns: new, or a part of `into`.
   *
   * @throws {VarveError} FILE_MISSING — the file ends before offset + length
   * @throws {VarveError} IO_FAILED — after bounded retries
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>
  /** Twin of `read`, where `supports.syncRead`; otherwise throws WOULD_BLOCK. The result is new, or a part of `into`. */
  readSync(offset: number, length: number, into?: Uint8Array): Uint8Array
  /**
   * Exactly `length` bytes from `offset` where they are known to be in memory, otherwise undefined: ask `read`. Never
   * waits for a disk or a network. The result is new, or a part of `into`, which may have been changed in any case.
   *
   * @throws {VarveError} as `read`
   */
  readNow(offset: number, length: number, into?: Uint8Array): Uint8Array | undefined
  /** Idempotent. Waits for reads in flight. */
  close(): Promise<void>
}

/**
 * Space set aside for the day the disk is full. It is given back then, so that what frees space can be done: deletions
 * are written, files without what was deleted take the place of those with it, commits say so.
 */
export interface SpaceReserve {
  /** Bytes that are set aside. */
  readonly heldBytes: number
  /** It was given back, by this process or an earlier one, and has not been set aside again. */
  readonly released: boolean
  /**
   * Sets aside `bytes`, or as much of that as the reserve may have at all; keeps more where there is more. Sets nothing
   * aside while there is so much space that it may be asked again in time.
   *
   * @returns false, and nothing has changed, where as much again would not be left free
   * @throws {VarveError} READ_ONLY, PERMISSION_DENIED, OUT_OF_FILES, IO_FAILED
   */
  hold(bytes: number): Promise<boolean>
  /** Gives all of it back to the file system. Errors as `hold`. */
  release(): Promise<void>
}

/**
 * Heads by shard. Calls may overlap; those of one shard happen in some order, one at a time, and a `read` sees every
 * change that had resolved before it was asked.
 */
export interface HeadStore {
  /** Recorded for people; a head store of another name may have the same heads. */
  readonly name: string
  /** The head of `shard`, or undefined where it has never been written. */
  read(shard: ShardId, options?: AbortOptions): Promise<Head | undefined>
  /**
   * Replaces the head if its version still is `expected` (undefined: if there is none) and makes it durable.
   *
   * @param content borrowed until settled; at most LIMITS.headBytesMax, less what a wrapper adds
   * @returns the new version
   * @throws {VarveError} HEAD_CONFLICT — another version is there; read it. It may be ours, if an earlier answer was lost
   * @throws {VarveError} OUTCOME_UNKNOWN — read the head to find out
   */
  compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options?: AbortOptions,
  ): Promise<HeadVersion>
}

declare const headVersionTag: unique symbol
/** Names one state of a head; never used again for another. Compare for equality only. */
export type HeadVersion = string & { readonly [headVersionTag]: true }

/** What a shard's head was at some moment. */
export interface Head {
  /** To be named in the next `compareAndSet`. */
  readonly version: HeadVersion
  /** The caller's own bytes, at most LIMITS.headBytesMax of them. */
  readonly content: Uint8Array
}
