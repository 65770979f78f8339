/**
 * An open directory of the Node device: what it takes to make its entries durable.
 *
 * Opening and closing do not wait for the disk, whose part is the sync: whoever wants one has just looked at the directory or
 * changed it, so the system knows it. A round trip to another thread for each takes ten times as long.
 */

import fs from 'node:fs'
import type { DeviceDirectory } from '../kernel/device.ts'
import { deviceError } from './device-error.ts'
import { attempt } from './node-call.ts'

const OPERATION = 'sync directory'

export class NodeDirectory implements DeviceDirectory {
  readonly #fd: number
  readonly #shown: string
  readonly #syncs = new Set<Promise<void>>()
  #closing: Promise<void> | undefined

  private constructor(fd: number, shown: string) {
    this.#fd = fd
    this.#shown = shown
  }

  /** @param shown how errors name the directory at `full` */
  static open(full: string, shown: string): NodeDirectory {
    try {
      return new NodeDirectory(fs.openSync(full, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY), shown)
    } catch (error) {
      throw deviceError(error, OPERATION, shown)
    }
  }

  sync(): Promise<void> {
    const synced = attempt<void>(OPERATION, this.#shown, (done) => fs.fsync(this.#fd, done))
    this.#syncs.add(synced)
    const over = (): void => void this.#syncs.delete(synced)
    synced.then(over, over)
    return synced
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // One that has not begun would sync whatever gets the number next.
    if (this.#syncs.size > 0) await Promise.allSettled(this.#syncs)
    try {
      fs.closeSync(this.#fd)
    } catch (error) {
      throw deviceError(error, OPERATION, this.#shown)
    }
  }
}
