import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../kernel/bytes.ts'
import type { Cursor } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../kernel/entry.ts'
import { emptyFound } from '../kernel/found.ts'
import { POSITION_ZERO, seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { KIB } from '../kernel/limits.ts'
import { checkTree } from '../testing/tree-check.ts'
import { ArenaPool } from './arena.ts'
import { BPlusTree } from './b-plus-tree.ts'
import type { OrderedMemtable, OrderedReader } from './ordered-memtable.ts'
import { SortedArrayMemtable } from './sorted-array.ts'

const DESCENDING: KeyOrder = {
  name: 'descending',
  bytewise: false,
  compare: (a, aStart, aLimit, b, bStart, bLimit) => BYTEWISE.compare(b, bStart, bLimit, a, aStart, aLimit),
}

function fromLetters(letters: readonly number[]): (picks: Uint8Array) => Uint8Array {
  return (picks) => picks.map((pick) => letters[pick % letters.length] as number)
}

const short = fc.uint8Array({ maxLength: 5 }).map(fromLetters([0x00, 0x01, 0x61, 0x80, 0xff]))
const wild = fc.uint8Array({ maxLength: 40 })
const prefixed = fc
  .tuple(fc.nat(60), fc.uint8Array({ maxLength: 6 }))
  .map(([length, tail]) =>
    Uint8Array.from([...new Uint8Array(length).fill(0x70), ...fromLetters([0x00, 0x70, 0xff])(tail)]),
  )
const key = fc.oneof(short, short, prefixed, wild)

const put = fc.record({ type: fc.constant('put' as const), key, valueBytes: fc.oneof(fc.nat(20), fc.nat(6000)) })
const remove = fc.record({ type: fc.constant('remove' as const), key })
const lookup = fc.record({ type: fc.constant('lookup' as const), key, back: fc.nat(50) })
const bound = fc.option(key, { nil: undefined })
const open = fc.record({
  type: fc.constant('open' as const),
  lower: bound,
  upper: bound,
  lowerOpen: fc.boolean(),
  upperOpen: fc.boolean(),
  mode: fc.constantFrom('forward', 'reverse', 'all'),
  capacity: fc.constantFrom(1, 3, 20),
  back: fc.nat(50),
})
const pull = fc.record({ type: fc.constant('pull' as const), which: fc.nat(3) })
const step = fc.oneof(put, put, put, remove, lookup, open, pull, pull)

interface OpenCursor {
  readonly cursors: readonly [Cursor, Cursor]
  readonly batches: readonly [EntryBatch, EntryBatch]
  ended: boolean
}

function describe(batch: EntryBatch): string[] {
  return Array.from({ length: batch.count }, (_, index) => {
    const value = batch.valueAt(index)
    return `${toHex(batch.keyAt(index))} ${batch.seqnos[index]} ${batch.kinds[index]} ${value.length} ${toHex(value.subarray(0, 4))}`
  })
}

function lookedUp(reader: OrderedReader, of: Uint8Array, at: number): string {
  const found = emptyFound()
  if (!reader.get(of, seqno(at), found)) return 'nothing'
  return `${found.seqno} ${found.kind} ${toHex(found.block.slice(found.valueStart, found.valueStart + found.valueLength))}`
}

for (const order of [BYTEWISE, DESCENDING]) {
  test(`the tree answers as the sorted array does, operation by operation: ${order.name}`, () => {
    const pool = new ArenaPool({ chunkBytes: 4 * KIB })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const tree = new BPlusTree({ pool, order })
        const oracle = new SortedArrayMemtable({ order })
        const both: readonly OrderedMemtable[] = [tree, oracle]
        const opened: OpenCursor[] = []
        let at = 0
        for (const one of steps) {
          if (one.type === 'put' || one.type === 'remove') {
            at += 1 + (one.key.length & 1)
            const value = one.type === 'put' ? new Uint8Array(one.valueBytes).fill(at) : new Uint8Array(0)
            const kind = one.type === 'put' ? ENTRY_PUT : ENTRY_DELETE
            for (const memtable of both) memtable.apply({ key: one.key, value, kind }, seqno(at), POSITION_ZERO)
          } else if (one.type === 'lookup') {
            const when = Math.max(0, at - one.back)
            assert.equal(lookedUp(tree, one.key, when), lookedUp(oracle, one.key, when))
          } else if (one.type === 'open') {
            const range: KeyRange = {
              ...(one.lower === undefined ? {} : { lower: one.lower, lowerOpen: one.lowerOpen }),
              ...(one.upper === undefined ? {} : { upper: one.upper, upperOpen: one.upperOpen }),
            }
            const options = {
              range,
              reverse: one.mode === 'reverse',
              versions: one.mode === 'all' ? 'all' : 'newest',
              seqno: seqno(Math.max(0, at - one.back)),
            } as const
            opened.unshift({
              cursors: [tree.cursor(options), oracle.cursor(options)],
              batches: [new EntryBatch(one.capacity), new EntryBatch(one.capacity)],
              ended: false,
            })
          } else if (opened.length > 0) pullBoth(opened[one.which % opened.length] as OpenCursor)
        }
        for (const cursor of opened) while (!cursor.ended) pullBoth(cursor)
        assert.deepEqual(
          [tree.count, tree.keyCount, tree.seqnoFirst, tree.seqnoLast],
          [oracle.count, oracle.keyCount, oracle.seqnoFirst, oracle.seqnoLast],
        )
        tree.freeze()
        checkTree(tree.handOver(), order)
        tree.release()
        assert.equal(pool.usedBytes, 0, 'every chunk went back')
      }),
      { numRuns: 100 },
    )
  })
}

/** Entry by entry both must give the same, though perhaps not in batches of the same size. */
function pullBoth(pulled: OpenCursor): void {
  const [batch, expected] = pulled.batches
  const [cursor, oracle] = pulled.cursors
  const count = cursor.next(batch)
  assert.equal(count, oracle.next(expected))
  assert.deepEqual(describe(batch), describe(expected))
  pulled.ended = count === 0
}

/** A fixed sequence, the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 16
  }
}

const KEYS = 40_000
const text = new TextEncoder()
const orders: Record<string, () => Uint8Array[]> = {
  ascending: () => Array.from({ length: KEYS }, (_, index) => text.encode(`user:${String(index).padStart(12, '0')}`)),
  descending: () => orders['ascending']?.().toReversed() ?? [],
  random: () => {
    const next = sequence(1)
    return Array.from({ length: KEYS }, () => Uint8Array.from({ length: 16 }, () => next() & 255))
  },
  'ascending in many series': () => {
    const next = sequence(2)
    return Array.from({ length: KEYS }, (_, index) => text.encode(`s${next() % 50}/${String(index).padStart(9, '0')}`))
  },
  'long common prefix, then random': () => {
    const next = sequence(3)
    return Array.from({ length: KEYS }, () => text.encode(`${'p'.repeat(60)}${next()}`))
  },
  'common prefix that ends late': () => {
    const early = orders['ascending']?.().slice(0, KEYS - 2) ?? []
    return [...early, text.encode('us'), text.encode('v')]
  },
}

/** How many of the keys are loaded, before the others are applied. */
const ways: Record<string, number> = { applied: 0, loaded: 0.5, 'loaded, then applied': 0.25 }
const cases = Object.keys(orders).flatMap((name) => Object.keys(ways).map((way) => [name, way] as const))
const mixed = new Set(['random', 'common prefix that ends late'])

for (const [name, way] of cases) {
  if (way === 'loaded, then applied' && !mixed.has(name)) continue
  test(`a tree of several levels keeps its promises to itself: ${name}, ${way}`, () => {
    const pool = new ArenaPool({ chunkBytes: 16 * KIB })
    const tree = new BPlusTree({ pool })
    const all = orders[name]?.() ?? []
    // Half as many are enough for what is built at once: its leaves are full.
    const keys = way === 'applied' ? all : all.slice(-KEYS / 2)
    const value = new Uint8Array(3)
    const expected = new Set(keys.map(toHex))
    const loaded = KEYS * (ways[way] ?? 0)
    const load = loaded > 0 ? tree.load() : undefined
    for (const [index, one] of keys.slice(0, loaded).entries()) {
      const [bytes, limit] = [Uint8Array.from([...one, ...value]), one.length + value.length]
      load?.entry(ENTRY_PUT, bytes, 0, one.length, one.length, limit, seqno(index + 1))
    }
    while (load?.finish() === false);
    for (const [index, one] of keys.slice(loaded).entries()) {
      tree.apply({ key: one, value, kind: ENTRY_PUT }, seqno(loaded + index + 1), POSITION_ZERO)
    }
    tree.freeze()
    const { height, leaves } = checkTree(tree.handOver(), BYTEWISE)
    assert.ok(height >= 3, 'inner nodes have split')
    const fill = expected.size / leaves / 128
    // A split in the middle leaves two half full; a load in one order leaves full ones.
    const ordered = name === 'ascending' || name === 'descending'
    assert.ok(fill > (way === 'loaded' ? 0.99 : ordered ? 0.8 : 0.49), `leaves are ${(fill * 100).toFixed(0)} % full`)
    const found = emptyFound()
    for (const one of keys) assert.ok(tree.get(one, tree.seqnoLast, found), 'every key is found')
    const batch = new EntryBatch()
    for (const reverse of [false, true]) {
      const cursor = tree.cursor({ range: {}, reverse, seqno: tree.seqnoLast, versions: 'newest' })
      const seen: string[] = []
      while (cursor.next(batch) !== 0) for (let at = 0; at < batch.count; at++) seen.push(toHex(batch.keyAt(at)))
      const sorted = [...expected].toSorted()
      assert.deepEqual(seen, reverse ? sorted.toReversed() : sorted)
    }
    tree.release()
  })
}
