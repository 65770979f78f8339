/**
 * What the shard puts into one journal batch: the operations of one turn.
 *
 *      group   format version u8, seqno of the first operation (varint), then batches
 *      batch   count of operations (varint, above 0), then operations, as the engine encodes them
 *
 * A journal batch is found whole or not at all, and so are the batches in it. Each operation takes the next seqno.
 *
 * Spec: docs/formats/head.md.
 */

import { Decoder } from '../kernel/codec.ts'
import type { Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import { SEQNO_MAX } from '../kernel/ids.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'

export const GROUP_FORMAT_VERSION = 1

export function beginGroup(encoder: Encoder, first: Seqno): void {
  encoder.u8(GROUP_FORMAT_VERSION).varint(first)
}

/** Adds a batch to a group; of one that has an operation which cannot be encoded, nothing. */
export function encodeBatch<Operation>(
  operations: readonly Operation[],
  into: Encoder,
  encode: (operation: Operation, into: Encoder) => void,
): void {
  const end = into.length
  try {
    into.varint(operations.length)
    for (const operation of operations) encode(operation, into)
  } catch (error) {
    into.truncate(end)
    throw error
  }
}

/**
 * Visits the operations of one group.
 *
 * @param decode reads one operation; its result is borrowed for the visit
 * @param visit `position` is where the operation starts in the journal
 * @returns seqno of the last operation
 * @throws {VarveError} INCOMPATIBLE, JOURNAL_CORRUPT
 */
export function visitGroup<Operation>(
  payload: Uint8Array,
  position: JournalPosition,
  decode: (from: Decoder) => Operation,
  visit: (operation: Operation, seqno: Seqno, position: JournalPosition) => void,
): Seqno {
  return readGroup(payload, position, undefined, (from, seqno, at) => visit(decode(from), seqno, at))
}

/**
 * As `visitGroup`, and `take` reads each operation itself.
 *
 * @param seqnoBefore what the group must go on after; undefined where anything will do
 */
export function readGroup(
  payload: Uint8Array,
  position: JournalPosition,
  seqnoBefore: Seqno | undefined,
  take: (from: Decoder, seqno: Seqno, position: JournalPosition) => void,
): Seqno {
  const decoder = new Decoder(payload, (reason, at) => failGroup(position + at, reason))
  const version = decoder.u8()
  if (version !== GROUP_FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `the journal has group format ${version} at ${position}, this version of varve reads ${GROUP_FORMAT_VERSION}`,
      { details: { what: 'group format', found: version, expected: GROUP_FORMAT_VERSION } },
    )
  }
  let seqno = decoder.varint() - 1
  if (seqnoBefore !== undefined && seqno !== seqnoBefore) {
    failGroup(position, `it starts with seqno ${seqno + 1}, expected ${seqnoBefore + 1}`)
  }
  // Every operation takes a byte at least.
  if (seqno > SEQNO_MAX - payload.length) decoder.fail('impossible seqno')
  readBatches(decoder, position, (from, at) => take(from, ++seqno as Seqno, at))
  return seqno as Seqno
}

/** `take` reads each operation of `batches`, which are at `position` in the journal, or are going to be. */
export function visitBatches(
  batches: Uint8Array,
  position: JournalPosition,
  take: (from: Decoder, position: JournalPosition) => void,
): void {
  readBatches(new Decoder(batches, (reason, at) => failGroup(position + at, reason)), position, take)
}

/** @param position of the first byte that `decoder` was given */
function readBatches(
  decoder: Decoder,
  position: JournalPosition,
  take: (from: Decoder, position: JournalPosition) => void,
): void {
  while (decoder.remaining > 0) {
    const count = decoder.count()
    // Never written: an operation before it was not read to its end.
    if (count === 0) decoder.fail('a batch without operations')
    for (let left = count; left > 0; left--) take(decoder, (position + decoder.at) as JournalPosition)
  }
}

export function failGroup(position: number, reason: string): never {
  throw new VarveError('JOURNAL_CORRUPT', `the journal holds no valid group at position ${position}: ${reason}`, {
    details: { file: 'journal', offset: position, reason },
  })
}
