/** Batches of a replay as bytes: count, then position, length and payload of each. */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { ReplayedBatch } from './hosted-journal.ts'

export function encodeBatches(batches: readonly ReplayedBatch[]): Uint8Array {
  let bytes = 16
  for (const { payload } of batches) bytes += 16 + payload.length
  const encoder = new Encoder(bytes).varint(batches.length)
  for (const { position, payload } of batches) encoder.varint(position).bytes(payload)
  return encoder.view()
}

/** Views of `bytes`. @throws {VarveError} IO_FAILED */
export function decodeBatches(bytes: Uint8Array): ReplayedBatch[] {
  const decoder = new Decoder(bytes, (reason) => {
    throw new VarveError('IO_FAILED', `a piece of a replay is damaged: ${reason}`, { details: { operation: 'replay' } })
  })
  const batches = Array.from({ length: decoder.count(2) }, () => ({
    position: decoder.varint(),
    payload: decoder.bytes(),
  }))
  decoder.end()
  return batches
}
