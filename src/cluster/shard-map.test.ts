/** The shard map: routing, changes, bytes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes } from '../kernel/bytes.ts'
import { isCode } from '../kernel/errors.ts'
import { shardId } from '../kernel/ids.ts'
import { decodeMap, encodeMap } from './map-codec.ts'
import { assign, assignAll, hashMap, rangeMap, replaceShards } from './map-changes.ts'
import { entriesWithin, entryFor, entryOf, placeOf } from './shard-map.ts'
import type { ShardMap } from './shard-map.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const [a, b, c, d] = [shardId('a'), shardId('b'), shardId('c'), shardId('d')]
const three = rangeMap([{ shard: a }, { shard: b, start: bytes('g') }, { shard: c, start: bytes('p') }])

const keys = fc.uint8Array({ maxLength: 6 })
const starts = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 4 }), {
  comparator: (x, y) => compareBytes(x, y) === 0,
  maxLength: 12,
})

function mapOf(ends: readonly Uint8Array[]): ShardMap {
  const sorted = [...ends].sort(compareBytes)
  return rangeMap([
    { shard: shardId('s0') },
    ...sorted.map((start, index) => ({ shard: shardId(`s${index + 1}`), start })),
  ])
}

test('every key belongs to the one stretch that it sorts into', () => {
  fc.assert(
    fc.property(starts, keys, (ends, key) => {
      const map = mapOf(ends)
      const found = map.entries.indexOf(entryFor(map, key))
      const wanted = map.entries.findLastIndex(({ start }) => compareBytes(start, key) <= 0)
      assert.equal(found, wanted)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('the key with which a shard begins is in that shard, and what is just before it is not', () => {
  const found = ['', 'f\xff', 'g', 'g\0', 'o\xff', 'p', 'z'].map(
    (key) => entryFor(three, Buffer.from(key, 'latin1')).shard,
  )
  assert.deepEqual(found, ['a', 'a', 'b', 'b', 'b', 'c', 'c'])
  fc.assert(
    fc.property(starts, (ends) => {
      const map = mapOf(ends)
      for (const entry of map.entries) assert.equal(entryFor(map, entry.start), entry)
    }),
    { seed: 4, numRuns: 100 },
  )
})

test('a range of keys is in the shards that its keys are in', () => {
  fc.assert(
    fc.property(starts, fc.array(keys, { minLength: 1, maxLength: 30 }), keys, keys, (ends, all, lower, upper) => {
      const map = mapOf(ends)
      const within = entriesWithin(map, lower, upper)
      for (const key of all) {
        if (compareBytes(key, lower) < 0 || compareBytes(key, upper) >= 0) continue
        assert.ok(within.includes(entryFor(map, key)))
      }
      assert.ok(compareBytes(lower, upper) >= 0 || within.length >= 1)
    }),
    { seed: 2, numRuns: 500 },
  )
  assert.deepEqual(
    entriesWithin(three, bytes('g'), bytes('p')).map(({ shard }) => shard),
    ['b'],
  )
  assert.equal(entriesWithin(three, undefined, undefined).length, 3)
})

test('hashes divide keys evenly among shards', () => {
  const map = hashMap(Array.from({ length: 16 }, (_, index) => shardId(`h${index}`)))
  const counts = new Map<string, number>()
  for (let index = 0; index < 16_000; index++) {
    const { shard } = entryFor(map, bytes(`key ${index}`))
    counts.set(shard, (counts.get(shard) ?? 0) + 1)
  }
  assert.equal(counts.size, 16)
  for (const [shard, count] of counts) assert.ok(count > 850 && count < 1150, `${shard} has ${count} of 16000`)
  assert.equal(entriesWithin(map, bytes('a'), bytes('b')).length, 16)
})

test('a shard of a map of hashes is refused a split and a merge, and the error says the way out', () => {
  const map = hashMap(['a', 'b', 'c'].map(shardId))
  const refusal = { code: 'UNSUPPORTED', message: /several for each node, and move whole shards/ }
  const halves = [{ shard: shardId('d') }, { shard: shardId('e'), start: bytes('x') }]
  assert.throws(() => replaceShards(map, [shardId('b')], halves), refusal)
  assert.throws(() => replaceShards(map, [shardId('a'), shardId('b')], [{ shard: shardId('d') }]), refusal)
})

// Stored data depends on it: another hash, and every key is looked for in another shard.
test('the place of a key is what it was in the first release', () => {
  assert.equal(Buffer.from(placeOf('hash', bytes('varve'))).toString('hex'), 'b4fcd94f')
})

test('a change that is made again changes nothing', () => {
  const owned = assign(three, a, 'one', 0)
  assert.equal(assign(owned, a, 'one', 0), owned)
  assert.equal(assign(owned, a, 'one'), owned)
  const split = replaceShards(owned, [a], [{ shard: d }, { shard: shardId('e'), start: bytes('c') }])
  assert.equal(replaceShards(split, [a], [{ shard: d }, { shard: shardId('e'), start: bytes('c') }]), split)
  const placed = assignAll(split, new Map([['b', 'two']]))
  assert.equal(assignAll(placed, new Map([['b', 'two']])), placed)
  assert.equal(placed.revision, three.revision + 3)
  assert.deepEqual([entryOf(placed, b)?.term, entryOf(placed, c)?.term], [1, 0], 'who has it is known by another term')
})

test('who has seen an old term takes nothing from whom it went to since', () => {
  const [one, two] = [assign(three, a, 'one', 0), assign(assign(three, a, 'one', 0), a, 'two', 1)]
  assert.throws(
    () => assign(two, a, 'three', 1),
    (error) => isCode(error, 'HEAD_CONFLICT'),
  )
  assert.equal(entryOf(one, a)?.term, 1)
  assert.equal(entryOf(two, a)?.term, 2)
})

test('split and merge keep every other stretch, and the owner', () => {
  const owned = assign(three, b, 'one')
  const split = replaceShards(owned, [b], [{ shard: d }, { shard: shardId('e'), start: bytes('k') }])
  assert.deepEqual(
    split.entries.map(({ start, shard, owner }) => [Buffer.from(start).toString(), shard, owner]),
    [
      ['', 'a', undefined],
      ['g', 'd', 'one'],
      ['k', 'e', 'one'],
      ['p', 'c', undefined],
    ],
  )
  const merged = replaceShards(split, [a, d], [{ shard: shardId('f') }])
  assert.deepEqual(
    merged.entries.map(({ shard }) => shard),
    ['f', 'e', 'c'],
  )
  assert.throws(() => replaceShards(split, [a, c], [{ shard: shardId('f') }]), RangeError)
  assert.throws(() => replaceShards(owned, [b], [{ shard: d }, { shard: shardId('e'), start: bytes('q') }]), RangeError)
  assert.throws(
    () => replaceShards(owned, [shardId('x')], [{ shard: d }]),
    (error) => isCode(error, 'NOT_FOUND'),
  )
})

test('a map is read as it was written, and no byte of it may be cut off', () => {
  fc.assert(
    fc.property(starts, fc.option(fc.string()), (ends, owner) => {
      const map = assign(mapOf(ends), shardId('s0'), owner ?? undefined)
      const encoded = encodeMap(map)
      assert.deepEqual(decodeMap(encoded, 'a map'), map)
      for (let length = 0; length < encoded.length; length++)
        assert.throws(
          () => decodeMap(encoded.subarray(0, length), 'a map'),
          (error) => isCode(error, 'HEAD_CORRUPT'),
        )
    }),
    { seed: 3, numRuns: 50 },
  )
  const lent = encodeMap(three)
  const read = decodeMap(lent, 'a map')
  lent.fill(0)
  assert.deepEqual(read, three, 'nothing of it is lent')
  const newer = encodeMap(three)
  newer[4] = 2
  assert.throws(
    () => decodeMap(newer, 'a map'),
    (error) => isCode(error, 'INCOMPATIBLE'),
  )
})

test('what is no division of all keys is refused', () => {
  assert.throws(() => rangeMap([{ shard: a, start: bytes('x') }]), RangeError)
  assert.throws(() => rangeMap([{ shard: a }, { shard: a, start: bytes('x') }]), RangeError)
  assert.throws(
    () => rangeMap([{ shard: a }, { shard: b, start: bytes('x') }, { shard: c, start: bytes('g') }]),
    RangeError,
  )
})

test('a map has the bytes that its specification shows', () => {
  const map = assign(
    rangeMap([{ shard: shardId('left') }, { shard: shardId('right'), start: bytes('g') }]),
    shardId('right'),
    'b',
  )
  const wanted = '56 53 4d 50 01 00 02 02 00 04 6c 65 66 74 00 00 01 67 05 72 69 67 68 74 01 01 62 01'
  assert.equal(Buffer.from(encodeMap(map)).toString('hex'), wanted.replaceAll(' ', ''))
})
