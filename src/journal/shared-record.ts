/**
 * What the batches of a shared log hold: one record each.
 *
 *      open:    1, shard, epoch, 0           whoever had it before is fenced
 *      batch:   2, shard, epoch, position    the payload after it
 *      state:   3, shard, epoch, start, end  what may be forgotten of a shard, and where it ends, before older records go
 *
 * The kind is a byte, a shard a text with its length, numbers are varints. Spec: docs/formats/shared-journal.md.
 */

import { Decoder, Encoder } from '../kernel/codec.ts'
import { shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { journalCorrupt } from './journal-corrupt.ts'

const KINDS = ['open', 'batch', 'state'] as const

export interface SharedRecord {
  readonly kind: (typeof KINDS)[number]
  readonly shard: ShardId
  readonly epoch: number
  /** Of a batch; where the log of a state starts; 0. */
  readonly position: number
  /** Of a state: where the log ends. 0 otherwise. */
  readonly end: number
  /** Of a batch: a view. */
  readonly payload: Uint8Array
}

const NOTHING = new Uint8Array(0)

export function encodeRecord(record: Omit<SharedRecord, 'payload'> & { readonly payload?: Uint8Array }): Uint8Array {
  const { kind, shard, epoch, position, end, payload = NOTHING } = record
  const encoder = new Encoder(32 + shard.length + payload.length).u8(KINDS.indexOf(kind) + 1)
  encoder.text(shard).varint(epoch).varint(position)
  if (kind === 'state') encoder.varint(end)
  return encoder.raw(payload).view()
}

/** @param at where the batch is in the shared log, for errors */
export function decodeRecord(bytes: Uint8Array, at: number): SharedRecord {
  const decoder = new Decoder(bytes, (reason) => {
    throw journalCorrupt('the shared log', at, reason)
  })
  const kind = KINDS[decoder.u8() - 1] ?? decoder.fail('an unknown kind of record')
  const shard = decoder.parsed(shardId)
  const epoch = decoder.varint()
  const position = decoder.varint()
  const end = kind === 'state' ? decoder.varint() : 0
  const payload = decoder.raw(decoder.remaining)
  if (kind !== 'batch' && payload.length > 0) decoder.fail('bytes left over')
  return { kind, shard, epoch, position, end, payload }
}
