/**
 * The properties part of a row table: varints and byte strings, in the order of the fields below.
 *
 *      entryCount deleteCount keyCount keyBytes valueBytes rangeCount seqnoFirst seqnoLast   varints
 *      keyFirst keyLast order                                                                length (varint), bytes
 */

import { Decoder, Encoder } from '../kernel/codec.ts'
import { seqno } from '../kernel/ids.ts'
import type { TableProperties } from './sst.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export interface RowProperties extends TableProperties {
  /** Distinct keys. As many as entries: no key has a second version, and cursors need not look for one. */
  readonly keyCount: number
}

export function encodeProperties(properties: RowProperties): Uint8Array {
  return new Encoder()
    .varint(properties.entryCount)
    .varint(properties.deleteCount)
    .varint(properties.keyCount)
    .varint(properties.keyBytes)
    .varint(properties.valueBytes)
    .varint(properties.rangeCount)
    .varint(properties.seqnoFirst)
    .varint(properties.seqnoLast)
    .bytes(properties.keyFirst)
    .bytes(properties.keyLast)
    .text(properties.order)
    .finish()
}

/** @throws {VarveError} TABLE_CORRUPT */
export function decodeProperties(bytes: Uint8Array, place: TablePlace): RowProperties {
  const decoder = new Decoder(bytes, (reason) => {
    throw tableCorrupt(place, reason)
  })
  const properties: RowProperties = {
    entryCount: decoder.varint(),
    deleteCount: decoder.varint(),
    keyCount: decoder.varint(),
    keyBytes: decoder.varint(),
    valueBytes: decoder.varint(),
    rangeCount: decoder.varint(),
    seqnoFirst: seqno(decoder.varint()),
    seqnoLast: seqno(decoder.varint()),
    // Copies: what is read with it must not stay alive.
    keyFirst: Uint8Array.from(decoder.bytes()),
    keyLast: Uint8Array.from(decoder.bytes()),
    order: decoder.text(),
  }
  decoder.end()
  if (properties.keyCount > properties.entryCount || properties.deleteCount > properties.entryCount) {
    throw tableCorrupt(place, 'more keys or deletions than entries')
  }
  return Object.freeze(properties)
}
