import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { POSITION_ZERO, seqno, SEQNO_MAX } from '../../kernel/ids.ts'
import type { Seqno } from '../../kernel/ids.ts'
import { lowerCut, upperCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper, isEmptyRange } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { ArenaPool } from '../../memtable/arena.ts'
import { BPlusTree } from '../../memtable/b-plus-tree.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import { DESCENDING } from '../../testing/descending-order.ts'
import { drainCursor } from '../../testing/entry-model.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import type { KvView } from './lookup.ts'
import { openView } from './view-cursor.ts'

const KEYS = 300
const NO_VALUE = new Uint8Array(0)

/** What an operation did to a key. */
interface Write {
  readonly seqno: Seqno
  readonly isPut: boolean
}

/** Memtables with random operations, and what these did to each key, oldest first. */
class Fixture {
  readonly order: KeyOrder
  readonly #random: SeededRandom
  readonly #pool = new ArenaPool({ chunkBytes: 4096 })
  readonly #tables: BPlusTree[] = []
  readonly #writes: Write[][] = Array.from({ length: KEYS }, () => [])
  last = 0

  constructor(random: SeededRandom, order: KeyOrder) {
    this.order = order
    this.#random = random
    for (let table = random.below(4); table >= 0; table--) {
      this.#tables.unshift(new BPlusTree({ pool: this.#pool, order }))
      for (let left = 1 + random.below(6); left > 0; left--) this.#step()
    }
  }

  get view(): KvView {
    const shape = { levels: [[]], runs: [], sorted: [], byName: new Map(), columns: new Map() }
    return { id: 1, tables: this.#tables, version: { files: [], shape } }
  }

  range(): KeyRange {
    const random = this.#random
    const bound = (): Uint8Array => keyOf(random.below(KEYS))
    return {
      ...(random.once(5) ? {} : { lower: bound(), lowerOpen: random.once(2) }),
      ...(random.once(5) ? {} : { upper: bound(), upperOpen: random.once(2) }),
    }
  }

  /** Keys that have a value at `at`, in order. */
  expected(range: KeyRange, at: number, reverse: boolean): readonly string[] {
    const alive: Uint8Array[] = []
    for (const [number, writes] of this.#writes.entries()) {
      const key = keyOf(number)
      if (this.#isIn(range, key) && writes.findLast((write) => write.seqno <= at)?.isPut === true) alive.push(key)
    }
    alive.sort((a, b) => this.order.compare(a, 0, a.length, b, 0, b.length))
    return (reverse ? alive.reverse() : alive).map(String)
  }

  #step(): void {
    const random = this.#random
    if (random.once(2)) {
      const range = this.range()
      if (isEmptyRange(range, this.order)) return
      const operation = { kind: RANGE_DELETE, lower: lowerCut(range), upper: upperCut(range) } as const
      const at = seqno(++this.last)
      this.#tables[0]?.apply(operation, at, POSITION_ZERO)
      for (const [number, writes] of this.#writes.entries()) {
        if (this.#isIn(range, keyOf(number))) writes.push({ seqno: at, isPut: false })
      }
      return
    }
    // Long runs of neighbours: what is skipped must be longer than a batch.
    const first = random.below(KEYS)
    const kind = random.once(4) ? ENTRY_DELETE : ENTRY_PUT
    const count = random.once(3) ? 1 : random.below(KEYS)
    for (let index = 0; index < count; index++) {
      const number = (first + index) % KEYS
      const at = seqno(++this.last)
      this.#tables[0]?.apply({ key: keyOf(number), value: NO_VALUE, kind }, at, POSITION_ZERO)
      this.#writes[number]?.push({ seqno: at, isPut: kind === ENTRY_PUT })
    }
  }

  #isIn(range: KeyRange, key: Uint8Array): boolean {
    return (
      isAtOrAfterLower(range, this.order, key, 0, key.length) &&
      isAtOrBeforeUpper(range, this.order, key, 0, key.length)
    )
  }
}

for (const order of [BYTEWISE, DESCENDING]) {
  test(`a cursor over memtables gives what no newer operation deletes, both ways, at every seqno: ${order.name}`, async () => {
    for (let round = 0; round < 150; round++) {
      const random = new SeededRandom(round)
      const fixture = new Fixture(random, order)
      for (let probe = 0; probe < 6; probe++) {
        const range = probe === 0 ? {} : fixture.range()
        const at = random.once(2) ? SEQNO_MAX : seqno(random.below(fixture.last + 1))
        const reverse = random.once(2)
        const cursor = openView(fixture.view, { range, reverse, seqno: at, versions: 'newest' }, order)
        const entries = await drainCursor(cursor, [1, 7, 32, 256][random.below(4)])
        const found = entries.filter(({ kind }) => kind === ENTRY_PUT).map(({ key }) => String(key))
        assert.deepEqual(found, fixture.expected(range, at, reverse), `round ${round}, probe ${probe}`)
      }
    }
  })
}

function keyOf(number: number): Uint8Array {
  return Uint8Array.of(number >>> 8, number)
}
