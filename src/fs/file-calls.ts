/**
 * The system calls of an open file that can be made in more than one way: through Node's thread pool, or through an
 * addon that has its own. Whole transfers, closing and errors are the file's business, so that they are the same for all.
 */

export interface FileCalls {
  /** Files of this device can be read without waiting: `readNow` is worth a try. */
  readonly readsNow: boolean
  /**
   * Reads at least one byte, or none at the end of the file. `into` is lent until the promise settles.
   *
   * @throws {VarveError} as the device does
   */
  read(fd: number, into: Uint8Array, position: number, path: string): Promise<number>
  /** Bytes read from the system's cache, 0 at the end of the file; NOT_AT_HAND, or NEVER_AT_HAND for this file. */
  readNow(fd: number, into: Uint8Array, position: number, path: string): number
  /** What to wait for before an answer of `readNow` is passed on to who awaits it: a turn of the event loop, now and then. */
  pause(): Promise<void> | undefined
  /** Bytes read, at least one, or 0 at the end of the file. @throws {Error} the system's, which the file translates */
  readSync(fd: number, into: Uint8Array, position: number): number
  /** Bytes written. @throws {Error} the system's, which the file translates */
  writeSync(fd: number, bytes: Uint8Array, position: number): number
  /** Makes what was written durable. Not called again for a file before it has answered. */
  sync(fd: number, path: string): Promise<void>
}

/** The next byte is not in the cache. */
export const NOT_AT_HAND = -1
/** The file's system cannot tell: do not ask again. */
export const NEVER_AT_HAND = -2
