/**
 * What the journal keeps in the shard's head: where its log ended when it was opened last. A database that was set back to
 * an earlier state is found out by it.
 *
 *      version u8 · epoch, end varints · checksum u32
 *
 * `checksum` is XXH32 of everything before it, seeded with XXH32 of the shard's name.
 */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import { hashKey } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { journalCorrupt } from '../journal-corrupt.ts'

export interface RowJournalState {
  readonly epoch: number
  readonly end: number
}

const STATE_VERSION = 1
const CHECKSUM_BYTES = 4

export function encodeRowJournalState({ epoch, end }: RowJournalState, shard: ShardId): Uint8Array {
  const encoder = new Encoder()
  encoder.u8(STATE_VERSION).varint(epoch).varint(end)
  const body = encoder.view()
  encoder.u32(hashKey(body, 0, body.length, seedOf(shard)))
  return encoder.finish()
}

/** @throws {VarveError} JOURNAL_CORRUPT */
export function decodeRowJournalState(bytes: Uint8Array, shard: ShardId): RowJournalState {
  const fail = (reason: string, at: number): never => {
    throw journalCorrupt('(state in the head)', at, reason)
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES))
  const checksum = new Decoder(bytes.subarray(body.length), fail).u32()
  if (checksum !== hashKey(body, 0, body.length, seedOf(shard))) fail('wrong checksum', body.length)
  const decoder = new Decoder(body, fail)
  const version = decoder.u8()
  if (version !== STATE_VERSION) fail(`unknown version ${version}`, 0)
  const state = { epoch: decoder.varint(), end: decoder.varint() }
  decoder.end()
  return state
}

function seedOf(shard: ShardId): number {
  const bytes = new TextEncoder().encode(shard)
  return hashKey(bytes, 0, bytes.length, 0)
}
