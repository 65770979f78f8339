/**
 * What every memtable of ordered keys promises, as tests: the port's own promises and those of OrderedReader, for the
 * live memtable and for its image.
 */

import assert from 'node:assert/strict'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_PUT } from '../kernel/entry.ts'
import { POSITION_ZERO, seqno, SEQNO_MAX, SEQNO_ZERO } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { DESCENDING } from './descending-order.ts'
import { bytes, promises, text, whole } from './memtable-bench.ts'
import type { MemtableSuite } from './memtable-bench.ts'
import { testLoads } from './memtable-load-conformance.ts'
import { testRangeDeletions } from './memtable-range-conformance.ts'

/** A test for each promise of a memtable of ordered keys, over an empty one each, and over what it hands over. */
export function testMemtable(suite: MemtableSuite): void {
  const promise = promises(suite)

  promise('an empty memtable finds nothing, has no entries, no range of seqnos and next to no bytes', (bench) => {
    const { memtable } = bench
    assert.equal(memtable.supports.versions, true, 'a memtable of ordered keys is read at older seqnos, and says so')
    assert.equal(bench.get('a'), undefined, 'get finds nothing')
    assert.deepEqual(bench.scan({}), [], 'a cursor ends at once')
    assert.deepEqual([memtable.count, memtable.keyCount], [0, 0], 'counts are 0')
    assert.deepEqual([memtable.seqnoFirst, memtable.seqnoLast], [SEQNO_ZERO, SEQNO_ZERO], 'seqnos are 0')
    assert.equal(memtable.bytes, 0, 'memory is taken with the first operation')
    assert.equal(memtable.approximateBytes({}), 0, 'an empty memtable has no bytes in any range')
  })

  promise('get finds the newest version at or below the seqno, deletions included', (bench) => {
    bench.put('b', 'one') // 1
    bench.put('c', 'other') // 2
    bench.put('b', 'two') // 3
    bench.delete('b') // 4
    bench.put('b', 'three') // 5
    assert.equal(bench.get('b', 0), undefined, 'nothing is visible before the first write')
    assert.equal(bench.get('b', 1), '1 put one', 'the seqno itself is included')
    assert.equal(bench.get('b', 2), '1 put one', 'writes to other keys hide nothing')
    assert.equal(bench.get('b', 3), '3 put two', 'a newer version hides the older')
    assert.equal(bench.get('b', 4), '4 delete ', 'a deletion is found, with an empty value')
    assert.equal(bench.get('b'), '5 put three', 'SEQNO_MAX sees the newest')
    assert.equal(bench.get('a'), undefined, 'a key that was not written is not found')
    assert.equal(bench.get('bb'), undefined, 'nor is one of which a key is the prefix')
    assert.equal(bench.get(''), undefined, 'nor is the empty key')
  })

  promise('counts, seqnos and bytes describe what was applied', (bench) => {
    const { memtable } = bench
    bench.put('a', 'x'.repeat(1000), 7)
    bench.put('b', '', 9)
    bench.delete('a', 12)
    assert.deepEqual([memtable.count, memtable.keyCount], [3, 2], 'count is operations, keyCount distinct keys')
    assert.deepEqual(
      [memtable.seqnoFirst, memtable.seqnoLast],
      [7, 12],
      'the range of seqnos is that of the operations',
    )
    const before = memtable.bytes
    assert.ok(before >= 1002, 'bytes are at least those of keys and values')
    bench.put('c', 'x'.repeat(100_000))
    assert.ok(memtable.bytes >= before + 100_000, 'bytes grow with what is applied')
  })

  promise('what an operation was made of may be overwritten after apply', (bench) => {
    // A Buffer, for its slice() copies nothing, and several keys that begin alike, for what a table learns of the first.
    const key = Buffer.from('key 0')
    const value = Buffer.from('value 0')
    for (let at = 0; at < 3; at++) {
      key.write(String(at), 4)
      value.write(String(at), 6)
      bench.memtable.apply({ key, value, kind: ENTRY_PUT }, seqno(at + 1), POSITION_ZERO)
    }
    key.fill(0)
    value.fill(0)
    const found = [0, 1, 2].map((at) => bench.get(`key ${at}`))
    assert.deepEqual(found, ['1 put value 0', '2 put value 1', '3 put value 2'], 'they are borrowed for the call only')
  })

  promise('cursors give keys in order, each with its newest visible version', (bench) => {
    for (const key of ['d', 'a', 'c', 'b', 'e']) bench.put(key, key)
    bench.put('c', 'newer') // 6
    bench.delete('d') // 7
    const forward = ['a 2 put a', 'b 4 put b', 'c 6 put newer', 'd 7 delete ', 'e 5 put e']
    assert.deepEqual(bench.scan({}), forward, 'ascending, one entry a key, deletions included')
    assert.deepEqual(bench.scan({ reverse: true }), forward.toReversed(), 'descending in reverse')
    const older = ['a 2 put a', 'b 4 put b', 'c 3 put c', 'd 1 put d']
    assert.deepEqual(bench.scan({ seqno: seqno(4) }), older, 'entries above the seqno are invisible')
    assert.deepEqual(bench.scan({ seqno: seqno(4), reverse: true }), older.toReversed(), 'in reverse too')
  })

  promise("versions: 'all' gives every visible version, newest first within a key", (bench) => {
    for (const value of ['1', '2', '3']) {
      bench.put('a', value)
      bench.put('b', value)
    }
    const options = { versions: 'all', seqno: seqno(5) } as const
    const expected = ['a 5 put 3', 'a 3 put 2', 'a 1 put 1', 'b 4 put 2', 'b 2 put 1']
    for (let capacity = 1; capacity <= 6; capacity++) {
      assert.deepEqual(bench.scan(options, capacity), expected, `with batches of ${capacity}`)
    }
    assert.throws(() => bench.memtable.cursor({ ...whole, reverse: true, versions: 'all' }), TypeError)
  })

  promise('a range has exactly the keys between its bounds, open or closed, in both directions', (bench) => {
    const keys = ['', '\0', 'a', 'a\0', 'aa', 'ab', 'b', 'ba']
    for (const key of keys.toReversed()) bench.put(key, '')
    const bounds = [undefined, '', '\0', 'A', 'a', 'a\0', 'aa', 'az', 'b', 'c']
    for (const lower of bounds) {
      for (const upper of bounds) {
        for (const [lowerOpen, upperOpen] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ] as const) {
          const range: KeyRange = {
            ...(lower === undefined ? {} : { lower: bytes(lower), lowerOpen }),
            ...(upper === undefined ? {} : { upper: bytes(upper), upperOpen }),
          }
          const expected = keys.filter(
            (key) =>
              (lower === undefined || (lowerOpen ? key > lower : key >= lower)) &&
              (upper === undefined || (upperOpen ? key < upper : key <= upper)),
          )
          const what = JSON.stringify({ lower, lowerOpen, upper, upperOpen })
          assert.deepEqual(bench.keys({ range }), expected, `forward ${what}`)
          assert.deepEqual(bench.keys({ range, reverse: true }), expected.toReversed(), `reverse ${what}`)
        }
      }
    }
  })

  promise('a cursor survives writes between pulls and never sees those above its seqno', (bench) => {
    const key = (index: number): string => `k${String(index).padStart(5, '0')}`
    const expected: string[] = []
    for (let index = 0; index < 500; index++) {
      bench.put(key(index * 2), 'old')
      expected.push(key(index * 2))
    }
    for (const reverse of [false, true]) {
      const cursor = bench.memtable.cursor({ ...whole, reverse, seqno: bench.memtable.seqnoLast })
      const batch = new EntryBatch(7)
      const seen: string[] = []
      for (let pull = 0; cursor.next(batch) !== 0; pull++) {
        for (let index = 0; index < batch.count; index++) {
          seen.push(text(batch.keyAt(index)))
          assert.equal(text(batch.valueAt(index)), 'old', 'a newer version of a key is not seen')
        }
        for (let index = pull * 17; index < pull * 17 + 17; index++) bench.put(key(index), 'new')
      }
      cursor.close()
      assert.deepEqual(seen, reverse ? expected.toReversed() : expected, 'every key once, none that is newer')
      bench.renew()
      for (const old of expected) bench.put(old, 'old')
    }
  })

  promise('a cursor that has ended has ended for good, and close is idempotent', (bench) => {
    bench.put('a', '')
    const cursor = bench.memtable.cursor(whole)
    const batch = new EntryBatch()
    assert.equal(cursor.next(batch), 1, 'one entry')
    assert.equal(cursor.next(batch), 0, 'then the end')
    bench.put('b', '')
    assert.equal(cursor.next(batch), 0, 'a later write does not reopen it')
    assert.equal(batch.count, 0, 'the batch is cleared')
    cursor.close()
    cursor.close()
  })

  promise('keys and values of any size are kept: empty, larger than a chunk, with every byte', (bench) => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)
    const sizes = [0, 1, 255, 256, 4095, 4096, 4097, 65_536]
    const given = new Map<string, Uint8Array>()
    let next = 1
    for (const keySize of sizes) {
      for (const valueSize of [...sizes, 1_000_000]) {
        const key = new Uint8Array(keySize).map((_, index) => everyByte[(index * 7 + keySize) & 255] as number)
        const value = new Uint8Array(valueSize).map((_, index) => everyByte[(index * 5 + keySize) & 255] as number)
        bench.memtable.apply({ key, value, kind: ENTRY_PUT }, seqno(next++), POSITION_ZERO)
        given.set(String(keySize), value)
        const found = bench.found(bench.memtable, key)
        assert.ok(found !== undefined && Buffer.compare(found, value) === 0, `key of ${keySize}, value of ${valueSize}`)
      }
    }
    const batch = new EntryBatch()
    const cursor = bench.memtable.cursor(whole)
    let entries = 0
    while (cursor.next(batch) !== 0) {
      for (let index = 0; index < batch.count; index++, entries++) {
        const value = given.get(String(batch.keyAt(index).length)) as Uint8Array
        assert.equal(Buffer.compare(batch.valueAt(index), value), 0, 'a cursor gives the same value')
      }
    }
    assert.equal(entries, sizes.length, 'a cursor gives every key once')
  })

  promise('seqnos up to 2^53 − 1 are kept exactly', (bench) => {
    const seqnos = [1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12345, Number.MAX_SAFE_INTEGER - 1, SEQNO_MAX]
    for (const at of seqnos) bench.put('a', String(at), at)
    for (const at of seqnos) assert.equal(bench.get('a', at), `${at} put ${at}`, 'the version of that seqno is found')
    const all = bench.scan({ versions: 'all' })
    assert.deepEqual(
      all,
      seqnos.toReversed().map((at) => `a ${at} put ${at}`),
      'cursors give the seqnos',
    )
  })

  promise(
    'another key order decides what comes first',
    (bench) => {
      const keys = ['b', '', 'a', 'ab', 'abcdef', 'abcdeg', 'c']
      for (const key of keys) bench.put(key, key)
      const expected = keys.toSorted().toReversed()
      assert.deepEqual(bench.keys({}), expected, 'in the order given')
      assert.deepEqual(bench.keys({ reverse: true }), expected.toReversed(), 'and against it')
      for (const key of keys) assert.ok(bench.get(key) !== undefined, 'every key is found')
      const range = { lower: bytes('ab'), upper: bytes('a') }
      assert.deepEqual(bench.keys({ range }), ['ab', 'a'], 'bounds are meant in that order')
    },
    DESCENDING,
  )

  promise('approximateBytes of disjoint ranges adds up to about what the whole takes', (bench) => {
    const { memtable } = bench
    for (let index = 0; index < 3000; index++)
      bench.put(`k${String((index * 1237) % 3000).padStart(6, '0')}`, 'v'.repeat(50))
    const total = memtable.approximateBytes({})
    assert.ok(Math.abs(total - memtable.bytes) <= memtable.bytes * 0.01, 'the whole is all bytes')
    const middle = bytes('k001000')
    const low = memtable.approximateBytes({ upper: middle, upperOpen: true })
    const high = memtable.approximateBytes({ lower: middle })
    assert.ok(Math.abs(low + high - total) <= 2, 'two halves are the whole')
    assert.ok(low > total * 0.2 && low < total * 0.5, `a third of the keys is about a third of the bytes, not ${low}`)
    assert.equal(memtable.approximateBytes({ lower: bytes('x') }), 0, 'no bytes after the last key')
    assert.equal(memtable.approximateBytes({ upper: bytes('a') }), 0, 'no bytes before the first key')
    assert.equal(memtable.approximateBytes({ lower: bytes('k2'), upper: bytes('k1') }), 0, 'no bytes in an empty range')
  })

  promise('a frozen memtable refuses operations and reads as before', (bench) => {
    bench.put('a', 'x')
    bench.memtable.freeze()
    bench.memtable.freeze()
    assert.throws(() => bench.put('b', 'y'), 'no more apply after freeze')
    assert.equal(bench.get('a'), '1 put x', 'still readable')
    assert.equal(bench.memtable.count, 1, 'the refused operation left no trace')
  })

  for (const order of [BYTEWISE, DESCENDING]) {
    promise(
      `the image of a frozen memtable reads the same: ${order.name}`,
      (bench) => {
        for (let index = 0; index < 2000; index++) bench.put(`k${(index * 7919) % 1500}`, `v${index}`)
        bench.put('large', 'x'.repeat(300_000))
        bench.deleteRange({ lower: bytes('k5'), upper: bytes('k5') })
        bench.deleteRange({ lower: bytes('k9') })
        for (let index = 0; index < 1500; index += 3) bench.delete(`k${index}`)
        bench.memtable.freeze()
        const { memtable } = bench
        const image = suite.openImage(structuredClone(memtable.handOver()), order)
        assert.deepEqual(
          [image.count, image.keyCount, image.seqnoFirst, image.seqnoLast],
          [memtable.count, memtable.keyCount, memtable.seqnoFirst, memtable.seqnoLast],
          'counts and seqnos',
        )
        for (const options of [{ versions: 'all' }, { reverse: true }, { seqno: seqno(1000) }] as const) {
          assert.deepEqual(bench.scan(options, 100, image), bench.scan(options, 100), 'cursors')
        }
        for (let index = 0; index < 1600; index += 7) {
          assert.equal(bench.get(`k${index}`, SEQNO_MAX, image), bench.get(`k${index}`), 'lookups')
        }
      },
      order,
    )
  }

  promise('the image of an empty memtable is empty', (bench) => {
    bench.memtable.freeze()
    const image = suite.openImage(structuredClone(bench.memtable.handOver()), BYTEWISE)
    assert.deepEqual(bench.scan({}, 10, image), [], 'no entries')
    assert.equal(bench.get('', SEQNO_MAX, image), undefined, 'no keys')
  })

  promise('release is idempotent, and nothing can be read afterwards', (bench) => {
    bench.put('a', '')
    bench.memtable.freeze()
    bench.memtable.release()
    bench.memtable.release()
    assert.throws(() => bench.get('a'), 'get after release is a bug and says so')
    assert.throws(() => bench.memtable.cursor(whole), 'so is a cursor')
  })

  testRangeDeletions(suite)
  testLoads(suite)
}
