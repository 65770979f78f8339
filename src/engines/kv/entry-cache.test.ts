import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { emptyFound } from '../../kernel/found.ts'
import type { Found } from '../../kernel/found.ts'
import { hashKey } from '../../kernel/hash.ts'
import { seqno } from '../../kernel/ids.ts'
import type { Version } from '../../shard/version.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { EntryCache } from './entry-cache.ts'
import type { Levels } from './levels.ts'

const MIB = 1024 * 1024
// A sixteenth, with what finds entries: seven chunks of 64 KiB.
const CACHE_BYTES = 8 * MIB
const VALUE_BYTES = 100

function versionOf(...seqnosLast: number[]): Version<Levels> {
  return { files: seqnosLast.map((seqnoLast) => ({ seqnoLast })) } as unknown as Version<Levels>
}

function valueOf(number: number, length = VALUE_BYTES): Uint8Array {
  return new Uint8Array(length).fill(number % 251)
}

/** Entries as they lie in a chunk. */
function imageOf(entries: readonly { key: string; value: Uint8Array; seqno: number }[]): Uint8Array {
  const images = entries.map(({ key, value, seqno: number }) => {
    const header = Buffer.alloc(16)
    header.writeUInt32BE(key.length, 0)
    header.writeUInt32BE(value.length, 4)
    header.writeUInt32BE(number, 12)
    const image = Buffer.concat([header, Buffer.from(key), value])
    return Buffer.concat([image, Buffer.alloc(8 - (image.length % 8))])
  })
  return Buffer.concat(images)
}

/** Gets of numbered keys, through the cache, from a version in which number n was put with seqno n + 1. */
class Reads {
  readonly blocks: BlockCache
  readonly entries: EntryCache
  version = versionOf(1_000_000)
  seqno = seqno(2_000_000)
  value = valueOf
  kind: number = ENTRY_PUT

  constructor(cacheBytes = CACHE_BYTES, placeLimit?: number) {
    this.blocks = new BlockCache({ cacheBytes })
    this.entries = new EntryCache(this.blocks, placeLimit)
  }

  /** Whether a copy answered; what is found is checked. */
  get(number: number, keyHash?: number): boolean {
    const key = Buffer.from(`key ${number}`)
    const hash = keyHash ?? hashKey(key, 0, key.length, 0)
    const found = emptyFound()
    const kept = this.entries.find(this.version, key, hash, this.seqno, found)
    if (!kept) {
      this.entries.offer(this.version, key, hash, this.seqno, this.#stored(number))
      return false
    }
    const expected = this.#stored(number)
    assert.deepEqual([found.kind, found.seqno, found.own], [ENTRY_PUT, expected.seqno, false])
    const { block, valueStart, valueLength } = found
    assert.deepEqual(block.slice(valueStart, valueStart + valueLength), this.value(number))
    return true
  }

  /** Which of the next gets a copy answers. */
  gets(number: number, count: number): boolean[] {
    return Array.from({ length: count }, () => this.get(number))
  }

  #stored(number: number): Found {
    const value = this.value(number)
    const block = new Uint8Array(value.length + 10)
    block.set(value, 5)
    const at = { block, valueStart: 5, valueLength: value.length, own: false }
    return { kind: this.kind, seqno: number + 1, ...at }
  }
}

test('a key that is read again is answered by a copy from the third read on', () => {
  const reads = new Reads()
  assert.deepEqual(reads.gets(1, 4), [false, false, true, true])
  assert.deepEqual(reads.entries.statistics, { hits: 2, bytes: reads.blocks.statistics.pinnedBytes })
})

test('keys that are read once leave no copy', () => {
  const reads = new Reads()
  for (let number = 0; number < 5000; number++) assert.ok(!reads.get(number))
  assert.equal(reads.entries.statistics.hits, 0)
})

test('entries that fill a chunk to its last byte are followed by others', () => {
  const reads = new Reads()
  reads.value = (number) => valueOf(number, 128 - 16 - `key ${number}`.length)
  for (let number = 0; number < 10_000; number++) {
    reads.gets(number, 2)
    assert.ok(reads.get(number))
    if (number > 0) assert.ok(reads.get(number - 1), `${number - 1} has gone`)
    if (number > 600) reads.get(number - 600)
  }
  assert.ok(reads.entries.statistics.bytes > CACHE_BYTES / 32)
})

test('empty keys and values, and keys of one hash, are told apart', () => {
  const reads = new Reads()
  reads.value = (number) => valueOf(number, number % 3)
  for (let number = 0; number < 30; number++) {
    for (let round = 0; round < 3; round++) reads.get(number, 0)
    assert.ok(reads.get(number, 0))
    assert.ok(!reads.get(number + 1, 0))
    if (number === 10) assert.ok(!reads.get(1, 0), 'the beginning of a key')
  }
  const [key, found] = [new Uint8Array(0), emptyFound()]
  const stored = { ...emptyFound(), kind: ENTRY_PUT, seqno: 7 }
  for (let round = 0; round < 2; round++) reads.entries.offer(reads.version, key, 5, reads.seqno, stored)
  assert.ok(reads.entries.find(reads.version, key, 5, reads.seqno, found))
  assert.deepEqual([found.seqno, found.valueLength], [7, 0])
})

test('another version has other entries', () => {
  const reads = new Reads()
  for (const number of [1, 2]) reads.gets(number, 3)
  const before = reads.version
  reads.version = versionOf(1_000_001)
  reads.value = (number) => valueOf(number + 1)
  for (const number of [1, 2]) assert.deepEqual(reads.gets(number, 3), [false, true, true], 'it has been seen before')
  reads.version = before
  reads.value = valueOf
  for (const number of [1, 2]) assert.ok(!reads.get(number), 'the version before as well')
})

test('what has been written over is no entry, whatever its bytes look like', () => {
  const reads = new Reads()
  const first = Array.from({ length: 16 }, (_, number) => number)
  reads.value = (number) => valueOf(number, 128 - 16 - `key ${number}`.length)
  for (const number of first) assert.ok(reads.gets(number, 3)[2])
  // The first chunk is written over from its start by values with what looks like older copies of these, where these were.
  const older = imageOf(
    first.map((number) => ({ key: `key ${number}`, value: valueOf(number + 100), seqno: number + 1 })),
  )
  const forged = new Uint8Array(2000)
  forged.set(older.subarray(128, 1920), 8 + 128 - 16 - 'key 1000'.length)
  reads.value = () => forged
  for (let number = 1000; number < 1400; number++) reads.gets(number, 2)
  reads.value = valueOf
  for (const number of first) assert.ok(!reads.get(number), `${number} has been written over`)
})

test('places that begin anew are not mixed up with those before', () => {
  const reads = new Reads(2 * MIB, 3 * 8192)
  for (let number = 0; number < 1700; number++) reads.gets(number, 2)
  reads.version = versionOf(1_000_001)
  reads.value = (number) => valueOf(number + 1)
  reads.get(1699)
  for (let number = 0; number < 1699; number++) assert.ok(!reads.get(number), `${number} is of the version before`)
})

test('a copy is for those who read at its seqno or later, and made by those who read the newest', () => {
  const reads = new Reads()
  reads.gets(9, 2)
  reads.seqno = seqno(9)
  assert.ok(!reads.get(9))
  reads.seqno = seqno(10)
  assert.ok(reads.get(9))
  reads.seqno = seqno(999_999)
  assert.deepEqual(reads.gets(5, 4), [false, false, false, false], 'a snapshot may have found an older one')
  reads.seqno = seqno(1_000_000)
  assert.deepEqual(reads.gets(5, 2), [false, true])
})

test('seqnos above 2^32 come back whole', () => {
  const reads = new Reads()
  reads.version = versionOf(2 ** 41)
  reads.seqno = seqno(2 ** 42)
  const number = 2 ** 40 + 12_345
  assert.deepEqual(reads.gets(number, 3), [false, false, true])
})

test('deletions and large values have no copies', () => {
  const reads = new Reads()
  reads.kind = ENTRY_DELETE
  assert.deepEqual(reads.gets(1, 4), [false, false, false, false])
  reads.kind = ENTRY_PUT
  reads.value = (number) => valueOf(number, 2048)
  assert.deepEqual(reads.gets(2, 4), [false, false, false, false])
  reads.value = (number) => valueOf(number, 2000)
  assert.deepEqual(reads.gets(2, 3), [false, false, true])
})

test('copies take no more than their part of the budget; the oldest make room, and what is popular comes back', () => {
  const reads = new Reads()
  let hits = 0
  for (let number = 0; number < 20_000; number++) {
    reads.gets(number, 2)
    assert.ok(reads.get(number))
    if (reads.get(0)) hits++
    assert.ok(reads.entries.statistics.bytes <= CACHE_BYTES / 16)
  }
  assert.ok(reads.entries.statistics.bytes > CACHE_BYTES / 32, 'it has grown as far as it may')
  assert.equal(reads.blocks.statistics.pinnedBytes, reads.entries.statistics.bytes)
  assert.ok(hits > 19_900 && hits < 20_000, `${hits} hits`)
  const kept = Array.from({ length: 20_000 }, (_, number) => 19_999 - number).map((number) => reads.get(number))
  const newest = kept.slice(0, 1000).filter(Boolean).length
  assert.ok(newest > 900, `${newest} of the newest thousand: few have met in one bucket`)
  assert.ok(!kept.slice(5000, -1).some(Boolean), 'the oldest have been written over')
})

test('entries of any length, again and again, are never mixed up', () => {
  for (const placeLimit of [undefined, 20_000]) {
    const reads = new Reads(2 * MIB, placeLimit)
    let [hits, random] = [0, 7]
    reads.value = (number) => valueOf(number, (number * 37) % 1900)
    for (let round = 0; round < 60_000; round++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
      // Most reads are of few keys.
      const number = Math.floor((random / 2 ** 32) ** 3 * 1000)
      if (reads.get(number)) hits++
      if (round % 10_000 === 9999) reads.version = versionOf(1_000_000)
    }
    assert.ok(hits > 10_000, `${hits} hits`)
  }
})

test('shards that share a cache share its part for entries, and give it back', () => {
  const reads = new Reads()
  for (let number = 0; number < 20_000; number++) reads.gets(number, 2)
  const other = new EntryCache(reads.blocks)
  const key = Buffer.from('key')
  const found = { ...emptyFound(), kind: ENTRY_PUT, seqno: 1 }
  const offer = (): boolean => {
    for (let round = 0; round < 3; round++) other.offer(reads.version, key, 1, reads.seqno, found)
    return other.find(reads.version, key, 1, reads.seqno, emptyFound())
  }
  other.find(reads.version, key, 1, reads.seqno, emptyFound())
  assert.ok(!offer())
  assert.equal(other.statistics.bytes, 0)
  reads.entries.close()
  reads.entries.close()
  assert.equal(reads.blocks.statistics.pinnedBytes, 0)
  assert.ok(offer())
})

test('without a cache there are no copies', () => {
  const reads = new Reads(0)
  assert.deepEqual(reads.gets(1, 4), [false, false, false, false])
  assert.deepEqual(reads.entries.statistics, { hits: 0, bytes: 0 })
})
