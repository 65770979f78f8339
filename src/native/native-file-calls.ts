/**
 * Calls of an open file through the addon: reads that cannot wait for the disk, many that may at once, and syncs on a
 * thread that does nothing else. docs/decisions has the measurements.
 *
 * What the kernel does not let us do goes the way it goes without the addon.
 */

import path from 'node:path'
import { deviceError } from '../fs/device-error.ts'
import type { FileCalls } from '../fs/file-calls.ts'
import { NEVER_AT_HAND, NOT_AT_HAND } from '../fs/file-calls.ts'
import type { Clock } from '../kernel/clock.ts'
import { KIB } from '../kernel/limits.ts'
import { Pace } from '../kernel/pace.ts'
import { NodeFileCalls } from '../fs/node-file-calls.ts'
import type { NativeAddon } from './native.ts'
import { RequestQueue } from './request-queue.ts'
import { EAGAIN, ENOENT, ENOSYS, EOPNOTSUPP, EPERM, systemError } from './system-error.ts'

// Of larger reads most is copying, which the threads of Node's pool do side by side.
const RING_BYTES_MAX = 128 * KIB

export class NativeFileCalls implements FileCalls {
  readonly readsNow: boolean
  readonly #addon: NativeAddon
  readonly #pace: Pace
  readonly #node = new NodeFileCalls()
  // Threads are started when first needed; null where the kernel refused.
  #reads: RequestQueue | undefined | null
  #syncs: RequestQueue | undefined | null
  #closed = false

  /** @param directory where the files are or will be: whether they can be read without waiting depends on what is mounted there */
  constructor(addon: NativeAddon, directory: string, clock: Clock) {
    this.#addon = addon
    this.#pace = new Pace(clock)
    this.readsNow = takesNowait(addon, path.resolve(directory))
  }

  async read(fd: number, into: Uint8Array, position: number, shown: string): Promise<number> {
    if (into.length > RING_BYTES_MAX) return this.#node.read(fd, into, position, shown)
    if (this.#reads === undefined && !this.#closed) this.#reads = RequestQueue.open(this.#addon, 'ring') ?? null
    if (this.#reads === null || this.#closed) return this.#node.read(fd, into, position, shown)
    const count = await (this.#reads as RequestQueue).read(fd, into, position)
    if (count < 0) throw deviceError(systemError(-count, 'read'), 'read', shown)
    return count
  }

  readNow(fd: number, into: Uint8Array, position: number, shown: string): number {
    const count = this.#addon.readNow(fd, into, position)
    if (count >= 0) return count
    if (count === -EAGAIN) return NOT_AT_HAND
    if (count === -EOPNOTSUPP || count === -EPERM || count === -ENOSYS) return NEVER_AT_HAND
    throw deviceError(systemError(-count, 'preadv2'), 'read', shown)
  }

  pause(): Promise<void> | undefined {
    return this.#pace.take()
  }

  readSync(fd: number, into: Uint8Array, position: number): number {
    const count = this.#addon.readAt(fd, into, position)
    if (count < 0) throw systemError(-count, 'pread')
    return count
  }

  writeSync(fd: number, bytes: Uint8Array, position: number): number {
    const count = this.#addon.writeAt(fd, bytes, position)
    if (count < 0) throw systemError(-count, 'pwrite')
    return count
  }

  async sync(fd: number, shown: string): Promise<void> {
    if (this.#syncs === undefined && !this.#closed) this.#syncs = RequestQueue.open(this.#addon, 'calls') ?? null
    if (this.#syncs === null || this.#closed) return this.#node.sync(fd, shown)
    const result = await (this.#syncs as RequestQueue).sync(fd)
    if (result < 0) throw deviceError(systemError(-result, 'fdatasync'), 'sync', shown)
  }

  /** Ends the threads, once requests under way are done. Files still open go on without them. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#reads?.close()
    await this.#syncs?.close()
  }
}

/** Asks the nearest directory above that exists: one that is yet to be made will be on the same file system. */
function takesNowait(addon: NativeAddon, directory: string): boolean {
  let at = directory
  for (;;) {
    const answer = addon.takesNowait(at)
    if (answer >= 0) return answer === 1
    // Not there, or not ours to write in: reads find out by themselves.
    const parent = path.dirname(at)
    if (answer !== -ENOENT || parent === at) return true
    at = parent
  }
}
