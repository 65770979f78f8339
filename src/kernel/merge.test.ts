import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes, toHex } from './bytes.ts'
import { PENDING } from './cursor.ts'
import type { Cursor, Pending } from './cursor.ts'
import { EntryBatch } from './entry-batch.ts'
import { ENTRY_PUT } from './entry.ts'
import { BYTEWISE } from './key-order.ts'
import type { KeyOrder } from './key-order.ts'
import { mergeCursors } from './merge.ts'

interface Item {
  readonly key: Uint8Array
  readonly seqno: number
  readonly value: Uint8Array
}

/** A cursor over items that answers PENDING, or throws, at the calls it was told to. */
class ScriptedCursor implements Cursor {
  readonly #items: readonly Item[]
  /** One per call of next, cyclic: what to do before answering. */
  readonly #script: readonly ('answer' | 'pend' | 'fail')[]
  #at = 0
  #calls = 0
  #lacking = false
  fills = 0
  fillSyncs = 0
  closes = 0

  constructor(items: readonly Item[], script: readonly ('answer' | 'pend' | 'fail')[] = ['answer']) {
    this.#items = items
    this.#script = script
  }

  /** Items it has been asked for. */
  get given(): number {
    return this.#at
  }

  next(into: EntryBatch): number | Pending {
    into.clear()
    if (this.#lacking) return PENDING
    const step = this.#script[this.#calls++ % this.#script.length]
    if (step === 'pend') {
      this.#lacking = true
      return PENDING
    }
    if (step === 'fail') throw new Error('damaged')
    while (!into.full && this.#at < this.#items.length) {
      const { key, seqno, value } = this.#items[this.#at++] as Item
      const start = into.reserveKey(key.length)
      into.keys.set(key, start)
      into.push(key.length, seqno, ENTRY_PUT, into.block(value), 0, value.length)
    }
    return into.count
  }

  async fill(): Promise<void> {
    this.fills++
    await Promise.resolve()
    this.#lacking = false
  }

  fillSync(): void {
    this.fillSyncs++
    this.#lacking = false
  }

  close(): void {
    this.closes++
  }
}

const DESCENDING: KeyOrder = {
  name: 'descending',
  bytewise: false,
  compare: (a, aStart, aLimit, b, bStart, bLimit) => BYTEWISE.compare(b, bStart, bLimit, a, aStart, aLimit),
}

const show = (key: Uint8Array, seqno: number, value: Uint8Array): string => `${toHex(key)}@${seqno}=${toHex(value)}`

function drain(cursor: Cursor, capacity: number): string[] {
  const batch = new EntryBatch(capacity)
  const seen: string[] = []
  for (let idle = 0; idle < 1000;) {
    let count: number | Pending
    try {
      count = cursor.next(batch)
    } catch (error) {
      assert.equal((error as Error).message, 'damaged')
      assert.equal(batch.count, 0, 'an error comes alone: nothing was taken from the sources')
      idle++
      continue
    }
    if (count === PENDING) {
      assert.equal(batch.count, 0, 'PENDING delivers nothing')
      cursor.fillSync()
      idle++
    } else if (count === 0) return seen
    else {
      assert.equal(count, batch.count)
      for (let index = 0; index < count; index++) {
        seen.push(show(batch.keyAt(index), batch.seqnos[index] as number, batch.valueAt(index)))
      }
    }
  }
  return assert.fail('the merge does not end')
}

// Few letters, so that keys collide, share prefixes, and differ by padding only.
const keys = fc.uint8Array({ maxLength: 7 }).map((bytes) => bytes.map((byte) => [0, 1, 0x61, 0xff][byte & 3] as number))

test('merging is sorting by key and rank, whatever the sources lack and whenever they lack it', () => {
  const source = fc.record({
    keys: fc.array(keys, { maxLength: 120 }),
    script: fc.array(fc.constantFrom('answer', 'answer', 'answer', 'pend', 'fail'), { maxLength: 6 }),
  })
  fc.assert(
    fc.property(
      fc.array(source, { minLength: 0, maxLength: 6 }),
      fc.constantFrom(1, 2, 7, 64),
      fc.constantFrom<'newest' | 'all'>('newest', 'all'),
      fc.boolean(),
      fc.constantFrom(BYTEWISE, DESCENDING),
      (given, capacity, versions, backwards, order) => {
        const reverse = backwards && versions === 'newest'
        const direction = reverse !== (order === DESCENDING) ? -1 : 1
        const lists = given.map((one, rank) => {
          const sorted = one.keys.toSorted((a, b) => compareBytes(a, b) * direction)
          const distinct = sorted.filter((key, at) => at === 0 || compareBytes(key, sorted[at - 1] as Uint8Array) !== 0)
          const chosen = versions === 'newest' ? distinct : sorted
          return chosen.map((key, at): Item => ({
            key,
            seqno: 100_000 - rank * 1000 - at,
            value: Uint8Array.of(rank, at),
          }))
        })
        const sorted = lists
          .flatMap((items, rank) => items.map((item) => ({ ...item, rank })))
          .toSorted((a, b) => compareBytes(a.key, b.key) * direction || a.rank - b.rank || b.seqno - a.seqno)
        const expected = sorted.filter(
          ({ key }, at) => versions === 'all' || at === 0 || compareBytes(key, (sorted[at - 1] as Item).key) !== 0,
        )
        const cursors = lists.map((items, at) => new ScriptedCursor(items, [...(given[at]?.script ?? []), 'answer']))
        const merged = mergeCursors(cursors, order, { reverse, versions })
        assert.deepEqual(
          drain(merged, capacity),
          expected.map(({ key, seqno, value }) => show(key, seqno, value)),
        )
      },
    ),
    { numRuns: 400 },
  )
})

const item = (text: string, value = ''): Item => ({
  key: new TextEncoder().encode(text),
  seqno: 1,
  value: new TextEncoder().encode(value),
})

test('long keys with a long common prefix are told apart by their last bytes', () => {
  const prefix = 'p'.repeat(1001)
  const even = Array.from({ length: 50 }, (_, index) => item(`${prefix}${String(index * 2).padStart(3, '0')}`))
  const odd = Array.from({ length: 50 }, (_, index) => item(`${prefix}${String(index * 2 + 1).padStart(3, '0')}`))
  const merged = mergeCursors([new ScriptedCursor(odd), new ScriptedCursor(even)], BYTEWISE, {
    reverse: false,
    versions: 'newest',
  })
  const expected = [...even, ...odd].map(({ key, seqno, value }) => show(key, seqno, value)).toSorted()
  assert.deepEqual(drain(merged, 16), expected)
})

test('fill fills the sources that are pending, all at once, and no other', async () => {
  const ready = new ScriptedCursor([item('a')])
  const lacking = [
    new ScriptedCursor([item('b')], ['pend', 'answer']),
    new ScriptedCursor([item('c')], ['pend', 'answer']),
  ]
  const merged = mergeCursors([ready, ...lacking], BYTEWISE, { reverse: false, versions: 'newest' })
  const batch = new EntryBatch()
  assert.equal(merged.next(batch), PENDING)
  const filled = merged.fill()
  assert.deepEqual(
    [ready.fills, ...lacking.map((source) => source.fills)],
    [0, 1, 1],
    'both were asked before either had answered',
  )
  await filled
  assert.equal(merged.next(batch), 2, 'up to where a source has to be asked again')
})

test('a failing fill rejects once every other fill has settled', async () => {
  let settled = false
  const failing = new ScriptedCursor([item('a')], ['pend'])
  failing.fill = async () => Promise.reject(new Error('no bytes'))
  const slow = new ScriptedCursor([item('b')], ['pend'])
  slow.fill = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    settled = true
  }
  const merged = mergeCursors([failing, slow], BYTEWISE, { reverse: false, versions: 'newest' })
  assert.equal(merged.next(new EntryBatch()), PENDING)
  await assert.rejects(merged.fill(), { message: 'no bytes' })
  assert.ok(settled, 'nothing was left running')
})

test('what was merged before a source fails is delivered first', () => {
  const items = Array.from({ length: 40 }, (_, index) => item(`k${String(index).padStart(2, '0')}`))
  const failing = new ScriptedCursor(items, ['answer', 'fail', 'fail'])
  const merged = mergeCursors([failing, new ScriptedCursor([item('z')])], BYTEWISE, {
    reverse: false,
    versions: 'newest',
  })
  const batch = new EntryBatch()
  assert.equal(merged.next(batch), 8, 'the first batch of the source that fails with its second')
  assert.throws(() => merged.next(batch), { message: 'damaged' })
})

test('who wants few entries costs the sources few, and those that come later fewer still', () => {
  const items = (name: string): Item[] =>
    Array.from({ length: 500 }, (_, index) => item(`${name}${String(index).padStart(3, '0')}`))
  const [first, last] = [new ScriptedCursor(items('a')), new ScriptedCursor(items('z'))]
  const merged = mergeCursors([last, first], BYTEWISE, { reverse: false, versions: 'newest' })
  const batch = new EntryBatch()
  batch.limitTo(50)
  assert.equal(merged.next(batch), 50)
  assert.ok(first.given <= 50 + 16, `${first.given} of the one that had them`)
  assert.ok(last.given <= 8, `${last.given} of the one that had none`)
})

test('values stay readable after their source has moved on', () => {
  const items = Array.from({ length: 500 }, (_, index) => item(`k${String(index).padStart(3, '0')}`, `value ${index}`))
  const odd = items.filter((_, index) => index % 2 === 1)
  const even = items.filter((_, index) => index % 2 === 0)
  const merged = mergeCursors([new ScriptedCursor(odd), new ScriptedCursor(even)], BYTEWISE, {
    reverse: false,
    versions: 'newest',
  })
  const batch = new EntryBatch(500)
  let at = 0
  for (let count = merged.next(batch); count !== 0; count = merged.next(batch)) {
    assert.ok(count !== PENDING)
    for (let index = 0; index < count; index++) {
      assert.deepEqual(Buffer.from(batch.valueAt(index)).toString(), `value ${at++}`)
    }
  }
  assert.equal(at, 500)
})

test('close closes every source, once, also those that have ended', () => {
  const cursors = [new ScriptedCursor([]), new ScriptedCursor([item('a')])]
  const merged = mergeCursors(cursors, BYTEWISE, { reverse: false, versions: 'newest' })
  merged.next(new EntryBatch())
  merged.close()
  merged.close()
  assert.deepEqual(
    cursors.map((cursor) => cursor.closes),
    [1, 1],
  )
})

test('a single source is not wrapped, and no source is an empty merge', () => {
  const single = new ScriptedCursor([item('a')])
  assert.equal(mergeCursors([single], BYTEWISE, { reverse: false, versions: 'newest' }), single)
  assert.equal(mergeCursors([], BYTEWISE, { reverse: false, versions: 'all' }).next(new EntryBatch()), 0)
})
