/**
 * Copies of entries that are read again and again, found by the hash of the key alone: no filter, no index, no block.
 *
 *      bucket ── kept: 3 × (hash, place) ──► chunk: … │ lengths, seqno, key, value │ lengths, …
 *             └─ seen: 2 × hash
 *
 * A key that is found in a table is noted as seen, and its entry kept when it is found there again before others of its
 * bucket took its place: who reads every key once copies nothing. Entries lie one after the other in chunks. When there may
 * be no more of these, the oldest is written over; what was popular in it comes back.
 *
 * What is kept is true of one version of the shard, in which it is the newest entry of its key: with the next, of a flush or
 * a merge, it begins anew.
 *
 * RocksDB and ScyllaDB have the same as a row cache. Gets of popular keys take a third to two thirds of the time
 * (docs/performance-notes.md).
 */

import { ENTRY_PUT } from '../../kernel/entry.ts'
import type { Found } from '../../kernel/found.ts'
import { SEQNO_ZERO } from '../../kernel/ids.ts'
import type { Seqno } from '../../kernel/ids.ts'
import { KIB, MIB } from '../../kernel/limits.ts'
import type { Version } from '../../shard/version.ts'
import type { BlockCache } from '../../sst/block-cache.ts'
import type { Levels } from './levels.ts'

const CHUNK_BYTES_MIN = 64 * KIB
const CHUNK_BYTES_MAX = 1 * MIB
// So that little is forgotten at a time.
const CHUNKS_WANTED = 16
// Key length and value length, u32; seqno, u64.
const HEADER_BYTES = 16
const HIGH = 2 ** 32
// To copy more costs as much as what it saves.
const ENTRY_BYTES_MAX = 2 * KIB
// Places count units from lap to lap: 32 bits are 32 GiB of entries, after which all is forgotten once.
const UNIT_BYTES = 8
const PLACE_LIMIT = 2 ** 32
// A bucket is half a cache line. One for three entries, of which each takes 128 bytes: few have to give way to others.
const BUCKET_WORDS = 8
const KEPT_WORDS = 6
const BUCKET_ENTRY_BYTES = 256

interface Chunk {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Of this shard, since it was opened; `bytes` is as of now. */
export interface EntryCacheStatistics {
  /** Gets that it answered, without a table being asked. */
  readonly hits: number
  /** Memory it takes, counted in `cacheBytes`. */
  readonly bytes: number
}

export class EntryCache {
  readonly #cache: BlockCache
  readonly #placeLimit: number
  readonly #chunkUnits: number
  readonly #chunks: Chunk[] = []
  #buckets = new Uint32Array(0)
  #bucketMask = 0
  #bytes = 0
  #hits = 0
  /** Where the next entry goes. No entry has place 0. */
  #next = 1
  /** Where its chunk ends. */
  #limit: number
  /** Entries at places before have been written over, or are of another version. */
  #first = 1
  #version: Version<Levels> | undefined
  /** Of the version: who reads at this seqno or after it reads the newest entries. */
  #seqnoLast = SEQNO_ZERO

  /**
   * @param cache whose budget it shares
   * @param placeLimit where places begin anew, for tests
   */
  constructor(cache: BlockCache, placeLimit = PLACE_LIMIT) {
    this.#cache = cache
    this.#placeLimit = placeLimit
    const chunkBytes = 2 ** Math.floor(Math.log2(Math.max(1, cache.entryBytesMax / CHUNKS_WANTED)))
    this.#chunkUnits = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, chunkBytes)) / UNIT_BYTES
    this.#limit = this.#chunkUnits
  }

  get statistics(): EntryCacheStatistics {
    return { hits: this.#hits, bytes: this.#bytes }
  }

  /** Whether the newest entry of `key` in `version` is kept, and not newer than `seqno`: then it is in `into`, for the call. */
  find(version: Version<Levels>, key: Uint8Array, keyHash: number, seqno: Seqno, into: Found): boolean {
    if (version !== this.#version) {
      this.#startOver(version)
      return false
    }
    const buckets = this.#buckets
    const bucket = (keyHash & this.#bucketMask) * BUCKET_WORDS
    for (let way = bucket; way < bucket + KEPT_WORDS; way += 2) {
      if (buckets[way] === keyHash) return this.#read(buckets[way + 1] as number, key, seqno, into)
    }
    return false
  }

  /** `found` is what a get at `seqno` found of `key` in the tables of `version`; borrowed for the call. */
  offer(version: Version<Levels>, key: Uint8Array, keyHash: number, seqno: Seqno, found: Found): void {
    if (this.#chunks.length === 0 && !this.#grow()) return
    const length = HEADER_BYTES + key.length + found.valueLength
    const wanted = found.kind === ENTRY_PUT && length <= ENTRY_BYTES_MAX
    if (!wanted || !this.#seen(keyHash) || version !== this.#version || seqno < this.#seqnoLast) return
    const place = this.#reserve(Math.ceil(length / UNIT_BYTES))
    const { bytes, view } = this.#chunkOf(place)
    const start = this.#startOf(place)
    view.setUint32(start, key.length)
    view.setUint32(start + 4, found.valueLength)
    view.setUint32(start + 8, found.seqno / HIGH)
    view.setUint32(start + 12, found.seqno % HIGH)
    bytes.set(key, start + HEADER_BYTES)
    const { block, valueStart, valueLength } = found
    bytes.set(block.subarray(valueStart, valueStart + valueLength), start + HEADER_BYTES + key.length)
    this.#keep(keyHash, place)
  }

  close(): void {
    this.#cache.unpinEntries(this.#bytes)
    this.#bytes = 0
    this.#chunks.length = 0
    this.#buckets = new Uint32Array(0)
    this.#bucketMask = 0
  }

  #startOver(version: Version<Levels>): void {
    this.#version = version
    this.#seqnoLast = version.files.reduce((last, file) => (file.seqnoLast > last ? file.seqnoLast : last), SEQNO_ZERO)
    this.#first = this.#next
  }

  #read(place: number, key: Uint8Array, seqno: Seqno, into: Found): boolean {
    if (place < this.#first) return false
    const { bytes, view } = this.#chunkOf(place)
    const start = this.#startOf(place)
    const keyStart = start + HEADER_BYTES
    const entrySeqno = view.getUint32(start + 8) * HIGH + view.getUint32(start + 12)
    if (view.getUint32(start) !== key.length || entrySeqno > seqno) return false
    for (let at = 0; at < key.length; at++) if (bytes[keyStart + at] !== key[at]) return false
    into.kind = ENTRY_PUT
    into.seqno = entrySeqno
    into.block = bytes
    into.valueStart = keyStart + key.length
    into.valueLength = view.getUint32(start + 4)
    into.own = false
    this.#hits++
    return true
  }

  /** Whether `keyHash` has been here lately; notes that it has. */
  #seen(keyHash: number): boolean {
    const buckets = this.#buckets
    const seen = (keyHash & this.#bucketMask) * BUCKET_WORDS + KEPT_WORDS
    if (buckets[seen] === keyHash || buckets[seen + 1] === keyHash) return true
    buckets[seen + 1] = buckets[seen] as number
    buckets[seen] = keyHash
    return false
  }

  /** In the place of one that is gone, of one with the same hash, or of the bucket's oldest. */
  #keep(keyHash: number, place: number): void {
    const buckets = this.#buckets
    const bucket = (keyHash & this.#bucketMask) * BUCKET_WORDS
    const last = bucket + KEPT_WORDS - 2
    let way = bucket
    while (way < last && buckets[way] !== keyHash && (buckets[way + 1] as number) >= this.#first) way += 2
    buckets.copyWithin(bucket + 2, bucket, way)
    buckets[bucket] = keyHash
    buckets[bucket + 1] = place
  }

  /** Room for an entry, in one chunk. */
  #reserve(units: number): number {
    if (this.#next + units > this.#limit) this.#beginChunk(this.#limit)
    const place = this.#next
    this.#next += units
    return place
  }

  /** Goes on at `start`, behind the last chunk: in another, or in the place of the oldest. */
  #beginChunk(start: number): void {
    const lapUnits = this.#chunks.length * this.#chunkUnits
    this.#next = start
    this.#limit = start + this.#chunkUnits
    // A place tells its chunk by their number, which may grow before the first lap is over.
    const grown = start === lapUnits && this.#grow()
    if (!grown) this.#first = Math.max(this.#first, this.#limit - lapUnits)
    if (this.#limit <= this.#placeLimit) return
    this.#buckets.fill(0)
    this.#next = this.#first = 1
    this.#limit = this.#chunkUnits
  }

  #chunkOf(place: number): Chunk {
    return this.#chunks[Math.floor(place / this.#chunkUnits) % this.#chunks.length] as Chunk
  }

  #startOf(place: number): number {
    return (place % this.#chunkUnits) * UNIT_BYTES
  }

  /** Another chunk, with the buckets for its entries. */
  #grow(): boolean {
    const chunkBytes = this.#chunkUnits * UNIT_BYTES
    const bucketCount = 2 ** Math.ceil(Math.log2(((this.#chunks.length + 1) * chunkBytes) / BUCKET_ENTRY_BYTES))
    const bytes = (this.#chunks.length + 1) * chunkBytes + bucketCount * BUCKET_WORDS * 4
    if (!this.#cache.pinEntries(bytes - this.#bytes)) return false
    this.#bytes = bytes
    const memory = new ArrayBuffer(chunkBytes)
    this.#chunks.push({ bytes: new Uint8Array(memory), view: new DataView(memory) })
    if (bucketCount * BUCKET_WORDS > this.#buckets.length) this.#spread(bucketCount)
    return true
  }

  #spread(bucketCount: number): void {
    const before = this.#buckets
    this.#buckets = new Uint32Array(bucketCount * BUCKET_WORDS)
    this.#bucketMask = bucketCount - 1
    for (let bucket = 0; bucket < before.length; bucket += BUCKET_WORDS) {
      for (let way = bucket + KEPT_WORDS - 2; way >= bucket; way -= 2) {
        const place = before[way + 1] as number
        if (place >= this.#first) this.#keep(before[way] as number, place)
      }
    }
  }
}
