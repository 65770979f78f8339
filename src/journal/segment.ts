/** One segment file as its journal knows it, whoever wrote it. */

import type { Device, DeviceFile } from '../kernel/device.ts'
import type { ShardId } from '../kernel/ids.ts'
import { segmentIdentity, segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import { SegmentIndex } from './segment-index.ts'
import { SEGMENT_HEADER_BYTES } from './segment-header.ts'

export class Segment {
  readonly id: SegmentId
  readonly path: string
  /** Seeds its checksums. */
  readonly identity: number
  /** Position of its first batch. */
  readonly base: number
  /** Position just past its last batch: what is beyond is not part of the log. */
  end: number
  /** Where that is in the file, where it is known. */
  endOffset: number | undefined
  /** Bytes it takes on the device, zeros ahead included. */
  storedBytes = 0
  /** False for one that the committed state lists and that is not there. */
  present = true
  /** False once it is being dropped. */
  kept = true
  /** Lent by who writes it. */
  lent: DeviceFile | undefined
  index = new SegmentIndex()
  #file: Promise<DeviceFile> | undefined

  constructor(directory: string, shard: ShardId, id: SegmentId, base: number) {
    this.id = id
    this.path = `${directory}/${segmentName(id)}`
    this.identity = segmentIdentity(shard, id)
    this.base = base
    this.end = base
    this.endOffset = SEGMENT_HEADER_BYTES
  }

  /** Lends a file that is open already, to read from. */
  attach(file: DeviceFile): void {
    this.lent = file
    this.#file = Promise.resolve(file)
  }

  /** The file that was lent, or has been opened; undefined where none is open. */
  get opened(): Promise<DeviceFile> | undefined {
    return this.#file
  }

  /** Its file, opened once. */
  async open(device: Device): Promise<DeviceFile> {
    this.#file ??= device.open(this.path, 'read')
    try {
      return await this.#file
    } catch (error) {
      this.#file = undefined
      throw error
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await (await file)?.close()
  }
}
