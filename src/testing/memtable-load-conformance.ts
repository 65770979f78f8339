/** What every memtable of ordered keys promises about being loaded, as tests: all is as if it had been applied. */

import assert from 'node:assert/strict'
import { isCode } from '../kernel/errors.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../kernel/entry.ts'
import { POSITION_ZERO, seqno, SEQNO_MAX, SEQNO_ZERO } from '../kernel/ids.ts'
import { lowerCut, upperCut } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import { RANGE_DELETE } from '../memtable/entry-operation.ts'
import type { OrderedOperation } from '../memtable/entry-operation.ts'
import type { OrderedLoad, OrderedReader } from '../memtable/ordered-memtable.ts'
import { SortedArrayMemtable } from '../memtable/sorted-array.ts'
import { DESCENDING } from './descending-order.ts'
import { bytes, promises } from './memtable-bench.ts'
import type { MemtableSuite } from './memtable-bench.ts'
import { SeededRandom } from './seeded-random.ts'

/** Makes keys that differ early, late, by their length alone, and in no more than what follows them. */
const KEYS: Readonly<Record<string, () => (random: SeededRandom) => string>> = {
  'few short keys': () => (random) => letters(random, random.below(4), 'a\0'),
  'keys of one length': () => (random) => String(random.below(5000)).padStart(16, '0'),
  'keys of many lengths': () => (random) => letters(random, random.below(40), 'ab\0\x7f'),
  'keys that share a long prefix': () => (random) => 'p'.repeat(70) + letters(random, random.below(14), 'px'),
  'series of keys': () => (random) => `series:${random.below(9)}/${'0'.repeat(20)}${random.below(300)}`,
  'keys in order': () => {
    let next = 0
    return () => String((next++ >> 1) % 500).padStart(9, '0')
  },
}

/** Gives a load operations in buffers that are used again. */
class Batches {
  readonly #load: OrderedLoad
  readonly #random: SeededRandom
  readonly #buffers = [new Uint8Array(8192), Buffer.alloc(8192)]

  constructor(load: OrderedLoad, random: SeededRandom) {
    this.#load = load
    this.#random = random
  }

  take(operation: OrderedOperation, at: number): void {
    if (operation.kind === RANGE_DELETE) {
      this.#load.deleteRange(operation.lower, operation.upper, seqno(at))
      operation.lower.key.fill(0xee)
      operation.upper.key.fill(0xee)
      return
    }
    const { kind, key, value } = operation
    const buffer = this.#buffers[at & 1] as Uint8Array
    // Parts of a buffer that begin anywhere, and end with it at times.
    const shift = this.#random.below(9)
    const batch = buffer.subarray(shift, this.#random.once(4) ? shift + key.length + value.length + 1 : undefined)
    batch.set(key, 0)
    batch.set(value, key.length + 1)
    this.#load.entry(kind, batch, 0, key.length, key.length + 1, key.length + 1 + value.length, seqno(at))
    buffer.fill(0xee)
  }
}

export function testLoads(suite: MemtableSuite): void {
  const promise = promises(suite)

  promise('a memtable that cannot be loaded says so', ({ memtable }) => {
    if (memtable.supports.load) assert.equal(memtable.load().finish(), true, 'one that can be begins and ends at once')
    else
      assert.throws(
        () => memtable.load(),
        (error) => isCode(error, 'UNSUPPORTED'),
      )
  })

  for (const order of [BYTEWISE, DESCENDING]) {
    for (const [index, [shape, keys]] of Object.entries(KEYS).entries()) {
      promise(
        `what is loaded reads as if it had been applied: ${shape}, ${order.name}`,
        (bench) => {
          const { memtable } = bench
          if (!memtable.supports.load) return
          const random = new SeededRandom(index + 1)
          const makeKey = keys()
          const oracle = new SortedArrayMemtable({ order })
          const load = memtable.load()
          const batches = new Batches(load, random)
          let last = 0
          for (let step = 0; step < 1500; step++) {
            last += 1 + random.below(3)
            const operation = make(random, makeKey(random))
            oracle.apply(operation, seqno(last), POSITION_ZERO)
            batches.take(operation, last)
          }
          while (!load.finish());
          compare()
          // And goes on as if it had been.
          for (let step = 0; step < 300; step++) {
            const operation = make(random, makeKey(random))
            last++
            for (const each of [memtable, oracle]) each.apply(operation, seqno(last), POSITION_ZERO)
          }
          compare()
          memtable.freeze()
          oracle.freeze()
          compare(suite.openImage(structuredClone(memtable.handOver()), order))

          function compare(reader: OrderedReader = memtable): void {
            assert.deepEqual(
              [reader.count, reader.keyCount, reader.seqnoFirst, reader.seqnoLast, reader.rangeTombstones.count],
              [oracle.count, oracle.keyCount, oracle.seqnoFirst, oracle.seqnoLast, oracle.rangeTombstones.count],
              'counts and seqnos',
            )
            const middle = seqno(last >> 1)
            const upper = bytes('p'.repeat(70) + 'pxp')
            for (const options of [
              { versions: 'all' },
              { reverse: true },
              { seqno: middle },
              { range: { upper }, reverse: true },
              { range: { lower: upper } },
            ] as const)
              assert.deepEqual(bench.scan(options, 100, reader), bench.scan(options, 100, oracle), 'cursors')
            for (let probe = 0; probe < 60; probe++) {
              const key = makeKey(random)
              const at = random.once(2) ? SEQNO_MAX : random.below(last + 2)
              assert.equal(bench.get(key, at, reader), bench.get(key, at, oracle), 'lookups')
            }
          }
        },
        order,
      )
    }

    function make(random: SeededRandom, key: string): OrderedOperation {
      if (random.once(40)) {
        const range: KeyRange = { lower: bytes(key), upper: bytes(key + 'a'), lowerOpen: random.once(2) }
        const turned: KeyRange = isEmptyRange(range, order) ? { lower: bytes(key + 'a'), upper: bytes(key) } : range
        return { kind: RANGE_DELETE, lower: lowerCut(turned), upper: upperCut(turned) }
      }
      if (random.once(5)) return { kind: ENTRY_DELETE, key: bytes(key), value: new Uint8Array(0) }
      const length = random.once(20) ? random.below(6000) : random.below(40)
      return { kind: ENTRY_PUT, key: bytes(key), value: new Uint8Array(length).fill(97 + random.below(26)) }
    }
  }

  promise('until all of a load is in place readers see nothing, and operations are refused', (bench) => {
    const { memtable } = bench
    if (!memtable.supports.load) return
    const load = memtable.load()
    const batch = new Uint8Array(1000)
    for (let at = 1; at <= 100; at++) load.entry(ENTRY_PUT, batch, at, at + 2, 500, 900, seqno(at))
    assert.ok(memtable.bytes >= 100 * 402, 'bytes grow with what is taken')
    assert.equal(memtable.count, 100, 'so does the count')
    assert.equal(bench.get('\0\0'), undefined, 'get finds nothing')
    assert.deepEqual(bench.scan({}), [], 'nor does a cursor')
    assert.throws(() => bench.put('b', ''), 'what is applied would come before what is loaded')
    assert.throws(() => load.entry(ENTRY_PUT, batch, 0, 1, 0, 0, seqno(100)), 'seqnos grow')
    memtable.freeze()
    assert.throws(() => memtable.handOver(), 'there is nothing to hand over yet')
    while (!load.finish());
    assert.throws(() => load.entry(ENTRY_PUT, batch, 0, 1, 0, 0, seqno(101)), 'no more after finish')
    assert.equal(memtable.keyCount, 1, 'one key')
    assert.ok(bench.get('\0\0') !== undefined, 'a memtable may be frozen before it is in order')
    assert.throws(() => memtable.load(), 'nothing can be loaded where something is')
  })

  promise('a load of nothing leaves the memtable empty, and open', (bench) => {
    const { memtable } = bench
    if (!memtable.supports.load) return
    assert.equal(memtable.load().finish(), true, 'there is nothing to do')
    assert.deepEqual([memtable.bytes, memtable.count, memtable.seqnoLast], [0, 0, SEQNO_ZERO], 'it is as before')
    const load = memtable.load()
    const cuts = { lower: lowerCut({ lower: bytes('a') }), upper: upperCut({ upper: bytes('b') }) }
    load.deleteRange(cuts.lower, cuts.upper, seqno(3))
    assert.equal(load.finish(), true, 'a range deletion needs no order')
    assert.equal(bench.get('a'), '3 delete ', 'and is found')
    bench.put('a', 'new')
    assert.equal(bench.get('a'), '4 put new', 'operations are applied as before')
  })
}

function letters(random: SeededRandom, length: number, of: string): string {
  let key = ''
  for (let index = 0; index < length; index++) key += of[random.below(of.length)]
  return key
}
