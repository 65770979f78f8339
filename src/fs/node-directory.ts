/** An open directory of the Node device: what it takes to make its entries durable. */

import fs from 'node:fs'
import type { DeviceDirectory } from '../kernel/device.ts'
import { attempt } from './node-call.ts'

const OPERATION = 'sync directory'

export class NodeDirectory implements DeviceDirectory {
  readonly #fd: number
  readonly #shown: string
  #closing: Promise<void> | undefined

  private constructor(fd: number, shown: string) {
    this.#fd = fd
    this.#shown = shown
  }

  /** @param shown how errors name the directory at `full` */
  static async open(full: string, shown: string): Promise<NodeDirectory> {
    const fd = await attempt<number>(OPERATION, shown, (done) =>
      fs.open(full, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, done),
    )
    return new NodeDirectory(fd, shown)
  }

  sync(): Promise<void> {
    return attempt<void>(OPERATION, this.#shown, (done) => fs.fsync(this.#fd, done))
  }

  close(): Promise<void> {
    this.#closing ??= attempt<void>(OPERATION, this.#shown, (done) => fs.close(this.#fd, done))
    return this.#closing
  }
}
