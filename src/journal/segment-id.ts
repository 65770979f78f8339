/**
 * Segment names: `<epoch>-<attempt>-<index>.log`, in decimal digits padded to 16, 4 and 8.
 *
 * They carry who made them (the epoch, and the attempt, which is a random number for the first opening within an epoch
 * and one more for each later one), so that a name is never used twice, no writer that lost its shard can touch a later
 * one's file, and none verifies in another journal's place.
 */

import { Encoder } from '../kernel/codec.ts'
import { hashKey } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'

export interface SegmentId {
  readonly epoch: number
  readonly attempt: number
  /** 1 for an owner's first segment. */
  readonly index: number
}

/** Of the file in which an owner keeps what its predecessor wrote last (kept-frame.ts). */
export const KEPT_INDEX = 0

const NAME = /^(\d{16})-(\d{4,})-(\d{8,})\.log$/

export function segmentName({ epoch, attempt, index }: SegmentId): string {
  return `${pad(epoch, 16)}-${pad(attempt, 4)}-${pad(index, 8)}.log`
}

export function parseSegmentName(name: string): SegmentId | undefined {
  const match = NAME.exec(name)
  if (match === null) return undefined
  const id = { epoch: Number(match[1]), attempt: Number(match[2]), index: Number(match[3]) }
  return segmentName(id) === name ? id : undefined
}

/** Order of creation. */
export function compareSegments(a: SegmentId, b: SegmentId): number {
  return a.epoch - b.epoch || a.attempt - b.attempt || a.index - b.index
}

export function sameOwner(a: Omit<SegmentId, 'index'>, b: Omit<SegmentId, 'index'>): boolean {
  return a.epoch === b.epoch && a.attempt === b.attempt
}

/** Seeds every checksum in the segment, so that bytes of another segment, shard or file never verify. u32. */
export function segmentIdentity(shard: ShardId, { epoch, attempt, index }: SegmentId): number {
  const bytes = new Encoder().text(shard).varint(epoch).varint(attempt).varint(index).finish()
  return hashKey(bytes, 0, bytes.length, SEGMENT_SEED)
}

/** Seeds the checksums of what belongs to the shard as a whole: its fence and its committed state. u32. */
export function shardIdentity(shard: ShardId): number {
  const bytes = new Encoder().text(shard).finish()
  return hashKey(bytes, 0, bytes.length, SHARD_SEED)
}

// Any two different constants: so that no fence verifies as a segment.
const SEGMENT_SEED = 0x5e67_0001
const SHARD_SEED = 0x5e67_0002

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
