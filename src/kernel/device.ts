/**
 * What a disk does: a port under the local journal and the local file store, so that one simulated disk sees every
 * byte either of them writes.
 *
 * Paths are relative to the device's root, separated by `/`, without `..`.
 *
 * Failures, for every method: NOT_FOUND, EXISTS, NO_SPACE, OUT_OF_FILES, PERMISSION_DENIED, READ_ONLY, or IO_FAILED for
 * the rest; details name path and operation. What is no file in the place of one is PERMISSION_DENIED to `open`, at once.
 * A failed write or sync leaves the content of the written range unknown.
 */

export interface DeviceSupport {
  /** `readSync` and `openSync` exist: a read of cached bytes costs microseconds. */
  readonly syncRead: boolean
  /** `writeSync` and `statSync` exist: they hand bytes to the operating system without waiting for the disk. */
  readonly syncWrite: boolean
  /** `readNow` exists: a read that is sure not to wait for the disk. */
  readonly readNow: boolean
}

/** A disk, rooted at a directory. Calls may overlap; of calls that do, none is ordered before another. */
export interface Device {
  /** Which of the optional halves this device has. Does not change. */
  readonly supports: DeviceSupport
  /**
   * Opens a file. `read`: must exist. `write`: must exist, read and write. `create`: must not exist, read and write;
   * its directory entry is durable only after `syncDirectory` of its parent.
   */
  open(path: string, mode: OpenMode): Promise<DeviceFile>
  /** Twin of `open`, where `supports.syncRead`; otherwise throws UNSUPPORTED. */
  openSync(path: string, mode: OpenMode): DeviceFile
  /** Creates `path` and its missing parents, each made durable in its own parent. Idempotent. */
  makeDirectory(path: string): Promise<void>
  /** Entries of a directory, in no particular order. NOT_FOUND where there is none. */
  list(path: string): Promise<readonly DirectoryEntry[]>
  /** The file or directory at `path`, or undefined where there is none. A directory has a length of no meaning. */
  stat(path: string): Promise<DeviceStat | undefined>
  /** Twin of `stat`, where `supports.syncWrite`; otherwise throws UNSUPPORTED. */
  statSync(path: string): DeviceStat | undefined
  /** Gives the file a second name, atomically. EXISTS where `created` is taken. Durable after `syncDirectory`. */
  link(existing: string, created: string): Promise<void>
  /** Atomic; replaces `target`. Durable after `syncDirectory`. */
  rename(source: string, target: string): Promise<void>
  /** NOT_FOUND where there is none. Durable after `syncDirectory`. */
  unlink(path: string): Promise<void>
  /** Makes every earlier create, link, rename and unlink in the directory durable. */
  syncDirectory(path: string): Promise<void>
  /**
   * The directory's handle, for who must be able to sync it later even where no descriptor is left by then. NOT_FOUND
   * where there is none.
   */
  openDirectory(path: string): Promise<DeviceDirectory>
  /** Free and total bytes of the file system that holds `path`. */
  space(path: string): Promise<DeviceSpace>
}

/** See `Device.open`. */
export type OpenMode = 'read' | 'write' | 'create'

/** One entry of a directory. */
export interface DirectoryEntry {
  /** Without the directory's path. */
  readonly name: string
  /** False for everything else, whatever it is. */
  readonly directory: boolean
}

/** What `stat` says of a path. */
export interface DeviceStat {
  /** Length of the file, in bytes. */
  readonly bytes: number
  /** Tells two files apart as long as one of them is held open (an inode number). */
  readonly identity: number
}

/** Space of a file system. */
export interface DeviceSpace {
  /** Bytes that this process may still take. */
  readonly freeBytes: number
  /** Bytes in all, free or not. */
  readonly totalBytes: number
}

/** An open directory. */
export interface DeviceDirectory {
  /** As `syncDirectory`. Never retried on the same handle after a failure. */
  sync(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

/**
 * An open file. Operations on disjoint ranges may run concurrently. Short transfers are retried inside: a call moves
 * all its bytes, or (reads only) stops at the end of the file.
 */
export interface DeviceFile {
  /** As it was opened: for messages. */
  readonly path: string
  /**
   * Reads into `into` from `position`; resolves to the bytes read, fewer only at the end of the file.
   * `into` is lent until the promise settles.
   */
  read(into: Uint8Array, position: number): Promise<number>
  /** Twin of `read`, where `supports.syncRead`. */
  readSync(into: Uint8Array, position: number): number
  /**
   * Reads what is in memory already, where `supports.readNow`; otherwise throws UNSUPPORTED. Never waits for the disk.
   *
   * @returns the bytes read, fewer only at the end of the file; undefined where some are not at hand, and `into` may
   *   have been changed
   */
  readNow(into: Uint8Array, position: number): number | undefined
  /** Writes `parts` one after the other from `position`, in one request where the device can. Parts are lent until settled. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>
  /** Twin of `write`, where `supports.syncWrite`. */
  writeSync(parts: readonly Uint8Array[], position: number): void
  /**
   * Makes every write that finished before this call durable, and the length. Never retried on the same handle after
   * a failure: the system may have dropped the pages (PostgreSQL's lesson of 2018).
   */
  sync(): Promise<void>
  /** Fills [start, limit) with zeros, so that later writes there change no metadata and sync faster. */
  preallocate(start: number, limit: number): Promise<void>
  /** Current length, in bytes. */
  size(): Promise<number>
  /** Cuts the file to `bytes`, or lengthens it with zeros. Durable after `sync`. */
  truncate(bytes: number): Promise<void>
  /** Idempotent. Waits for operations in flight. */
  close(): Promise<void>
}
