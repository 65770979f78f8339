/**
 * Batches as rows.
 *
 *      small batches, together up to 64 KiB:   kind batches   content = (length varint, payload)*
 *      a large one, in parts of 1 MiB:         kind part, …, part, last   content = its bytes
 *
 * The checksum is XXH64 over the content, seeded with what the row is and where it belongs: shard, position, beginning of
 * its batch, size and kind. So a row of another place, or a column that was changed, is damage too.
 *
 * Spec: docs/formats/postgres.md.
 */

import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { KIB, MIB } from '../../kernel/limits.ts'
import { readVarint, varintLength, writeVarint } from '../../kernel/varint.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import type { JournalRow, RowKind } from './journal-table.ts'

// What a point read has to fetch and check; a row more costs the server a hundred bytes.
const BATCHES_BYTES_MAX = 64 * KIB
// As text it is two megabytes, which the client decodes at once.
const PART_BYTES = 1 * MIB

/** @param batches in order, the first at `position` */
export function encodeRows(
  hash: Hash,
  shard: ShardId,
  position: number,
  batches: readonly Uint8Array[],
): readonly JournalRow[] {
  const rows: JournalRow[] = []
  let together: Uint8Array[] = []
  let stored = 0
  let size = 0
  let next = position
  const add = (at: number, payloadBytes: number, batch: number, kind: RowKind, content: Uint8Array): void => {
    const row = { position: at, size: payloadBytes, batch, kind, content }
    rows.push({ ...row, checksum: checksumOf(hash, shard, row) })
  }
  const flush = (): void => {
    if (size > 0) add(next - size, size, next - size, 'batches', joined(together, stored))
    together = []
    stored = 0
    size = 0
  }
  for (const payload of batches) {
    const { length } = payload
    const bytes = varintLength(length) + length
    if (stored + bytes > BATCHES_BYTES_MAX) flush()
    if (bytes > BATCHES_BYTES_MAX) {
      for (let from = 0; from < length; from += PART_BYTES) {
        const part = payload.subarray(from, from + PART_BYTES)
        add(next + from, part.length, next, from + PART_BYTES < length ? 'part' : 'last', part)
      }
      next += length
    } else {
      together.push(payload)
      stored += bytes
      size += length
      next += length
    }
  }
  flush()
  return rows
}

/** @throws {VarveError} JOURNAL_CORRUPT */
export function checkRow(hash: Hash, shard: ShardId, row: JournalRow): void {
  if (row.checksum !== checksumOf(hash, shard, row))
    throw damagedRow(shard, row.position, 'its checksum does not match')
}

/** Visits the batches of a row that has whole ones. @throws {VarveError} JOURNAL_CORRUPT */
export function visitBatches(
  shard: ShardId,
  { position, size, content }: JournalRow,
  visit: (payload: Uint8Array, position: number) => void,
): void {
  const cursor = { at: 0 }
  let next = position
  while (cursor.at < content.length) {
    const length = readVarint(content, cursor, content.length)
    const limit = cursor.at + length
    if (!(length >= 1 && limit <= content.length)) throw damagedRow(shard, position, 'a batch ends beyond its row')
    const payload = content.subarray(cursor.at, limit)
    cursor.at = limit
    visit(payload, next)
    next += length
  }
  if (next !== position + size) throw damagedRow(shard, position, 'its batches have another length')
}

export function damagedRow(shard: ShardId, position: number, reason: string): Error {
  return journalCorrupt(`(rows of ${shard})`, position, reason)
}

function checksumOf(hash: Hash, shard: ShardId, row: Omit<JournalRow, 'checksum'>): bigint {
  const { position, size, batch, kind, content } = row
  return hash.hash64(
    content,
    hash.hash64(new TextEncoder().encode(`${shard}/${position}/${size}/${batch}/${kind}`), 0n),
  )
}

function joined(batches: readonly Uint8Array[], bytes: number): Uint8Array {
  const content = new Uint8Array(bytes)
  let at = 0
  for (const payload of batches) {
    at = writeVarint(content, at, payload.length)
    content.set(payload, at)
    at += payload.length
  }
  return content
}
