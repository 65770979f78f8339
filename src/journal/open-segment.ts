/** The segment that a log writes to. */

import type { DeviceFile } from '../kernel/device.ts'
import { SEGMENT_HEADER_BYTES } from './segment-header.ts'
import type { Segment } from './segment.ts'

/** A segment of ours, with its file. */
export interface OpenSegment {
  readonly segment: Segment
  readonly file: DeviceFile
  /** Where the next frame goes. */
  offset: number
  /** Up to here the file has its space: zeros, or what it held under another name. */
  zerosLimit: number
  /** Zeros are being written from here on; Infinity where none are. Frames must stay below. */
  zeroingStart: number
  zeroing: Promise<void> | undefined
  /** False once the device could not: without zeros ahead everything works, only slower. */
  zeros: boolean
}

/** One that has its header, and `bytes` that its file held before. */
export function begun(segment: Segment, file: DeviceFile, bytes: number): OpenSegment {
  const offset = SEGMENT_HEADER_BYTES
  return { segment, file, offset, zerosLimit: bytes, zeroingStart: Infinity, zeroing: undefined, zeros: true }
}
