/**
 * Files that live processes hold, as a port: what tells a live lock from a dead one where the process table does not
 * reach, as between containers.
 */

export interface FileHolds {
  /**
   * Holds the file at `path`, on the device's paths, until it is released or this process ends, however it ends.
   * undefined where it cannot be held.
   */
  hold(path: string): FileHold | undefined
  /** Whether a live process holds it, this one included. False where it cannot be told. */
  isHeld(path: string): boolean
}

/** A file that this process holds. */
export interface FileHold {
  /** Idempotent. */
  release(): void
}
