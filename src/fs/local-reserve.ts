/**
 * The reserve of a local directory: a file that takes up space, and is cut to nothing when the disk is full.
 *
 *      absent     nothing has been set aside yet: there is nothing to keep, or space is ample
 *      held       as long as what is set aside
 *      released   there, and empty: the disk was full, and still is as far as anyone knows
 *
 * It is written, not merely declared: only blocks that are taken can be given back. (A file system that compresses or
 * leaves out zeros takes none; there the reserve is worth nothing, and does no harm.) It is not synced: what a power cut
 * leaves of it is looked at when the directory is opened.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { GIB, KIB, MIB } from '../kernel/limits.ts'
import type { SpaceReserve } from './fs.ts'

/** Name of the file. */
export const RESERVE_NAME = 'reserve'

/** What `open` of `varve` sets aside at most, in bytes. */
// Three memtables of 32 MiB may have to become files before what deletes can, and a compaction of what was deleted writes
// a table of 32 MiB before it gives anything back. Larger is safer, and lost to everything else.
export const RESERVE_BYTES_DEFAULT = 128 * MIB
// A small disk should not be spent on waiting for the day it is full.
const SHARE_OF_DISK = 8
// With as much space to spare nothing is set aside: the file would be written, and most of a small database be reserve.
// Whoever asks, asks after every commit, and a commit takes some 32 MiB: the last ones are far from here.
const AMPLE_BYTES = 4 * GIB
// A lock file takes a block, of 64 KiB where they are largest.
const MORSEL_BYTES = 64 * KIB

/** Where the reserve is, and how large it may be. */
export interface LocalReserveOptions {
  /** The device that has the file. */
  readonly device: Device
  /** Path of the file; its directory exists. */
  readonly path: string
  /** Never more than this is set aside, in bytes. */
  readonly bytesMax: number
}

/** Space set aside in a file. Calls wait for each other. */
export class LocalReserve implements SpaceReserve {
  readonly #device: Device
  readonly #path: string
  readonly #bytesMax: number
  #heldBytes: number
  #exists: boolean
  /** False once the disk was full whatever it said: a quota knows of no free bytes. */
  #freeBytesBelieved = true
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: LocalReserveOptions, bytes: number | undefined) {
    this.#device = options.device
    this.#path = options.path
    this.#bytesMax = options.bytesMax
    this.#heldBytes = bytes ?? 0
    this.#exists = bytes !== undefined
  }

  /**
   * What is there of an earlier time counts at once. Only for the owner of the directory. Throws what the device
   * throws.
   */
  static async open(options: LocalReserveOptions): Promise<LocalReserve> {
    const { device, path } = options
    return new LocalReserve(options, (await device.stat(path))?.bytes)
  }

  /**
   * Gives back a morsel of the reserve at `path`, for a lock that cannot be taken because the disk is full. Whoever else
   * holds the reserve hardly misses it. False where there is none.
   */
  static async nibble(device: Device, path: string): Promise<boolean> {
    const bytes = (await device.stat(path))?.bytes ?? 0
    if (bytes === 0) return false
    const file = await device.open(path, 'write')
    try {
      await file.truncate(Math.max(0, bytes - MORSEL_BYTES))
    } finally {
      await file.close()
    }
    return true
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get released(): boolean {
    return this.#exists && this.#heldBytes === 0
  }

  hold(bytes: number): Promise<boolean> {
    return this.#inTurn(() => this.#hold(bytes))
  }

  release(): Promise<void> {
    return this.#inTurn(() => this.#cut())
  }

  /** Resolves when nothing is being done. */
  async close(): Promise<void> {
    await this.#turn
  }

  async #hold(bytes: number): Promise<boolean> {
    const { freeBytes, totalBytes } = await this.#device.space('.')
    const wanted = Math.min(bytes, this.#bytesMax, Math.floor(totalBytes / SHARE_OF_DISK))
    if (wanted <= this.#heldBytes) return true
    if (freeBytes >= AMPLE_BYTES && this.#freeBytesBelieved && !this.#exists) return true
    if (freeBytes - (wanted - this.#heldBytes) < wanted) return false
    const file = await this.#open()
    try {
      await file.preallocate(this.#heldBytes, wanted)
      this.#heldBytes = wanted
      return true
    } catch (error) {
      // Somebody else was faster. What had been set aside before stays.
      await file.truncate(this.#heldBytes).catch(() => undefined)
      if (isCode(error, 'NO_SPACE')) return false
      throw error
    } finally {
      await file.close()
    }
  }

  async #cut(): Promise<void> {
    this.#freeBytesBelieved = false
    if (this.#heldBytes === 0) return
    const file = await this.#open()
    try {
      await file.truncate(0)
      this.#heldBytes = 0
    } finally {
      await file.close()
    }
  }

  async #open(): Promise<DeviceFile> {
    const file = await this.#device.open(this.#path, this.#exists ? 'write' : 'create')
    this.#exists = true
    return file
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
