/** The segment that a log writes to. */

import type { DeviceFile } from '../kernel/device.ts'
import type { Segment } from './segment.ts'

/** A segment of ours, with its file. */
export interface OpenSegment {
  readonly segment: Segment
  readonly file: DeviceFile
  /** Where the next frame goes. */
  offset: number
  /** Zeros have been written up to here. */
  zerosLimit: number
  /** Zeros are being written from here on; Infinity where none are. Frames must stay below. */
  zeroingStart: number
  zeroing: Promise<void> | undefined
  /** False once the device could not: without zeros ahead everything works, only slower. */
  zeros: boolean
}
