/** What the manifest keeps of a table of this engine: enough to place it in its level without opening it. */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import { failHead } from '../../shard/head-content.ts'

export interface TableMeta {
  readonly keyFirst: Uint8Array
  readonly keyLast: Uint8Array
  readonly entryCount: number
  readonly deleteCount: number
}

export function encodeTableMeta(meta: TableMeta): Uint8Array {
  return new Encoder()
    .bytes(meta.keyFirst)
    .bytes(meta.keyLast)
    .varint(meta.entryCount)
    .varint(meta.deleteCount)
    .finish()
}

/** @throws {VarveError} HEAD_CORRUPT */
export function decodeTableMeta(bytes: Uint8Array, file: string): TableMeta {
  const decoder = new Decoder(bytes, (reason, at) => failHead(`description of ${file}`, reason, at))
  const meta = {
    keyFirst: decoder.bytes().slice(),
    keyLast: decoder.bytes().slice(),
    entryCount: decoder.varint(),
    deleteCount: decoder.varint(),
  }
  decoder.end()
  return meta
}
