/**
 * Names of new segments, which a power cut takes until the directory is synced.
 *
 * The directory is opened before a segment is created in it, and held until it has been synced. So what may be lacking, a
 * descriptor, is lacking before anything was written, and no sync of acknowledged bytes ever needs one. An error of the
 * sync itself is final: the file system may have dropped what it could not store.
 */

import type { Device, DeviceDirectory, DeviceFile } from '../kernel/device.ts'

export class SegmentNames {
  readonly #device: Device
  readonly #directory: string
  /** Opened before a name was made in it that has not been synced. */
  #unsynced: DeviceDirectory | undefined

  constructor(device: Device, directory: string) {
    this.#device = device
    this.#directory = directory
  }

  /** Creates the file at `path`, in the directory. What it throws has left nothing. */
  async create(path: string): Promise<DeviceFile> {
    const directory = await this.#device.openDirectory(this.#directory)
    let file: DeviceFile
    try {
      file = await this.#device.open(path, 'create')
    } catch (error) {
      await directory.close()
      throw error
    }
    // Asked only now: a sync that began meanwhile may have been too early for the new name.
    if (this.#unsynced === undefined) this.#unsynced = directory
    else await directory.close()
    return file
  }

  /** Makes the names of all that has been created durable. Never call it again after it failed. */
  async sync(): Promise<void> {
    const directory = this.#unsynced
    if (directory === undefined) return
    this.#unsynced = undefined
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#unsynced?.close()
    this.#unsynced = undefined
  }
}
