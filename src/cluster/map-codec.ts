/**
 * A shard map as bytes: what a head store keeps of it.
 *
 *      map     magic 'VSMP', format version u8
 *              partition u8, revision varint
 *              entries   count, then start, shard, owner (flag, text), term each
 *
 * The head store guards these bytes with a checksum. Spec: docs/formats/shard-map.md.
 */

import { copyOf } from '../kernel/bytes.ts'
import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import { shardId } from '../kernel/ids.ts'
import { checked } from './map-changes.ts'
import type { MapEntry, Partition, ShardMap } from './shard-map.ts'

const MAGIC = 0x504d_5356 // 'VSMP' read as a little-endian u32
const MAP_FORMAT_VERSION = 1
const PARTITIONS: readonly Partition[] = ['range', 'hash']

export function encodeMap(map: ShardMap): Uint8Array {
  const encoder = new Encoder(64 + 64 * map.entries.length)
  encoder.u32(MAGIC).u8(MAP_FORMAT_VERSION).u8(PARTITIONS.indexOf(map.partition)).varint(map.revision)
  encoder.varint(map.entries.length)
  for (const { start, shard, owner, term } of map.entries) {
    encoder.bytes(start).text(shard)
    if (owner === undefined) encoder.u8(0)
    else encoder.u8(1).text(owner)
    encoder.varint(term)
  }
  return encoder.finish()
}

/** @throws {VarveError} HEAD_CORRUPT; INCOMPATIBLE — it is no map, or one of a newer version */
export function decodeMap(bytes: Uint8Array, source: string): ShardMap {
  const fail = (reason: string, at: number): never => {
    throw new VarveError('HEAD_CORRUPT', `${source} is damaged at byte ${at}: ${reason}`, {
      details: { file: source, offset: at, reason },
    })
  }
  const decoder = new Decoder(bytes, fail)
  const magic = decoder.u32()
  const version = magic === MAGIC ? decoder.u8() : 0
  if (version !== MAP_FORMAT_VERSION) {
    const found = magic === MAGIC ? `map format ${version}` : 'no shard map'
    throw new VarveError(
      'INCOMPATIBLE',
      `${source} has ${found}, this version of varve reads map format ${MAP_FORMAT_VERSION}; nothing was changed`,
      { details: { what: 'map format', found, expected: MAP_FORMAT_VERSION } },
    )
  }
  const partition = PARTITIONS[decoder.u8()] ?? fail('unknown partition', decoder.at)
  const revision = decoder.varint()
  const entries: MapEntry[] = []
  for (let left = decoder.count(4); left > 0; left--) {
    const start = copyOf(decoder.bytes())
    const shard = decoder.parsed(shardId)
    const owner = decoder.u8() === 0 ? undefined : decoder.text()
    entries.push({ start, shard, owner, term: decoder.varint() })
  }
  decoder.end()
  try {
    return checked({ revision, partition, entries })
  } catch (error) {
    return fail(error instanceof Error ? error.message : 'not a division', 0)
  }
}
