/**
 * The file of the segment that comes next, created while the one before it is being filled.
 *
 * Creating a file takes three trips to the thread pool and up to 50 ms while a flush syncs, and every write waits for it:
 * of 100,000 puts a second it was the longest wait. A spare is empty: recovery takes it for one that never came to be.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import type { SegmentNames } from './segment-names.ts'

/** A file without a header. Its number is used for nothing else. */
export interface SpareFile {
  readonly id: SegmentId
  readonly file: DeviceFile
}

export class SpareSegment {
  readonly #device: Device
  readonly #directory: string
  readonly #names: SegmentNames
  readonly #owner: Omit<SegmentId, 'index'>
  #index = 0
  /** Resolves with undefined where it could not be created. */
  #spare: Promise<SpareFile | undefined> | undefined

  constructor(device: Device, directory: string, names: SegmentNames, owner: Omit<SegmentId, 'index'>) {
    this.#device = device
    this.#directory = directory
    this.#names = names
    this.#owner = owner
  }

  /** Begins to create one, where there is none. What fails now is tried again when it is needed, and fails there. */
  prepare(): void {
    this.#spare ??= this.#create().catch(() => undefined)
  }

  /** The spare, or a new file; the caller's from now on. What it throws has left nothing. */
  async take(): Promise<SpareFile> {
    const spare = await this.#spare
    this.#spare = undefined
    return spare ?? (await this.#create())
  }

  /** Closes and removes a spare. */
  async discard(): Promise<void> {
    const spare = await this.#spare
    this.#spare = undefined
    if (spare === undefined) return
    await spare.file.close()
    // Only tidiness: whoever opens the log ignores it.
    await this.#device.unlink(spare.file.path).catch(() => {})
  }

  async #create(): Promise<SpareFile> {
    // A number is used once, also where creating its file fails.
    const id = { ...this.#owner, index: ++this.#index }
    return { id, file: await this.#names.create(`${this.#directory}/${segmentName(id)}`) }
  }
}
