/**
 * What the local journal keeps in the shard's head: who owns it, and where every earlier owner's log ends.
 *
 *      version u8 · epoch, attempt, start varints · count varint ·
 *      (epoch, attempt, index, base, end varints)* · checksum u32
 *
 * Bytes of an earlier owner beyond `end`, and its segments that are not listed, are ignored for ever: whatever it wrote
 * after it was fenced. The owner's own segments are not listed; recovery finds their end. `checksum` is XXH32 of
 * everything before it, seeded with the shard's identity.
 */

import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import { hashKey } from '../kernel/hash.ts'
import { POSITION_MAX } from './frame.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import type { SegmentId } from './segment-id.ts'

/** A segment of an earlier owner. */
export interface SegmentExtent {
  readonly id: SegmentId
  /** Position of its first batch. */
  readonly base: number
  /** Position just past its last batch. */
  readonly end: number
}

/** Name of the journal system whose state this is, as heads record it. */
export const LOCAL_JOURNAL = 'local'

export interface JournalState {
  readonly epoch: number
  readonly attempt: number
  /** Position where this owner's own log begins. */
  readonly start: number
  /** In order of position. */
  readonly segments: readonly SegmentExtent[]
}

const STATE_VERSION = 1
const SEGMENT_BYTES_MIN = 5
const CHECKSUM_BYTES = 4

export function encodeJournalState(state: JournalState, identity: number): Uint8Array {
  const encoder = new Encoder()
  encoder.u8(STATE_VERSION).varint(state.epoch).varint(state.attempt).varint(state.start)
  encoder.varint(state.segments.length)
  for (const { id, base, end } of state.segments) {
    encoder.varint(id.epoch).varint(id.attempt).varint(id.index).varint(base).varint(end)
  }
  const body = encoder.view()
  encoder.u32(hashKey(body, 0, body.length, identity))
  return encoder.finish()
}

/** @throws {VarveError} JOURNAL_CORRUPT; INCOMPATIBLE — whole, but of another version */
export function decodeJournalState(bytes: Uint8Array, identity: number): JournalState {
  const fail = (reason: string, at: number): never => {
    throw journalCorrupt('(state in the head)', at, reason)
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES))
  const checksum = new Decoder(bytes.subarray(body.length), fail).u32()
  if (checksum !== hashKey(body, 0, body.length, identity)) fail('wrong checksum', body.length)
  const decoder = new Decoder(body, fail)
  const version = decoder.u8()
  if (version !== STATE_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `the journal's state in the head has version ${version}, this version of varve reads ${STATE_VERSION}; nothing was changed`,
      { details: { what: 'journal state', found: version, expected: STATE_VERSION } },
    )
  }
  const epoch = decoder.varint()
  const attempt = decoder.varint()
  const start = decoder.varint()
  const segments: SegmentExtent[] = []
  for (let left = decoder.count(SEGMENT_BYTES_MIN); left > 0; left--) {
    const id = { epoch: decoder.varint(), attempt: decoder.varint(), index: decoder.varint() }
    const base = decoder.varint()
    segments.push({ id, base, end: decoder.varint() })
  }
  decoder.end()
  if (start > POSITION_MAX || segments.some(({ base, end }) => base > POSITION_MAX || end > POSITION_MAX))
    fail('impossible position', 0)
  return { epoch, attempt, start, segments }
}
