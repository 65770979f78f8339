import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvEntry } from './kv.ts'
import { ScanEntries } from './scan-entries.ts'

/** A scan of so many entries, three in a chunk, which fails where it comes to `fails`. */
class FakeScan {
  closed = 0
  pulls = 0
  running = 0
  readonly asked: number[] = []
  readonly #count: number
  readonly #fails: number

  constructor(count: number, fails = Infinity) {
    this.#count = count
    this.#fails = fails
  }

  async next(count: number): Promise<KvEntry[]> {
    this.asked.push(count)
    assert.equal(++this.running, 1, 'one pull at a time')
    await new Promise((resolve) => setImmediate(resolve))
    this.running--
    const first = 3 * this.pulls++
    if (first >= this.#fails) throw new Error('failed')
    return Array.from({ length: Math.max(0, Math.min(3, this.#count - first)) }, (_, index) => entry(first + index))
  }

  close(): void {
    this.closed++
  }
}

function entry(number: number): KvEntry {
  return { key: Buffer.from(`${number}`), value: Buffer.alloc(0) }
}

function textOf({ key }: KvEntry): string {
  return Buffer.from(key).toString()
}

test('a loop meets every entry in order, and closes the scan at the end, by break, and by an error', async () => {
  for (const count of [0, 1, 3, 7]) {
    const scan = new FakeScan(count)
    const found: string[] = []
    for await (const each of new ScanEntries(scan, undefined)) found.push(textOf(each))
    assert.deepEqual(
      found,
      Array.from({ length: count }, (_, index) => `${index}`),
    )
    assert.equal(scan.closed, 1)
  }
  const left = new FakeScan(7)
  for await (const each of new ScanEntries(left, undefined)) if (textOf(each) === '4') break
  assert.equal(left.closed, 1)

  const failing = new FakeScan(7, 3)
  const met: string[] = []
  const entries = new ScanEntries(failing, undefined)
  await assert.rejects(async () => {
    for await (const each of entries) met.push(textOf(each))
  }, /failed/)
  assert.deepEqual([met, failing.closed], [['0', '1', '2'], 1])
  assert.deepEqual(await entries.next(), { done: true, value: undefined })
})

test('a loop that ends early has read little, and one that goes on reads much at once', async () => {
  const scan = new FakeScan(18)
  for await (const each of new ScanEntries(scan, undefined)) assert.ok(each.key.length > 0)
  assert.deepEqual(scan.asked, [16, 64, 256, 1024, 1024, 1024, 1024])
})

test('calls that do not wait for each other are answered in their order', async () => {
  const scan = new FakeScan(7)
  const entries = new ScanEntries(scan, undefined)
  const calls = Array.from({ length: 5 }, () => entries.next())
  const stop = entries.return()
  const after = entries.next()
  const found = await Promise.all(calls)
  assert.deepEqual(
    found.map(({ value }) => value && textOf(value)),
    ['0', '1', '2', '3', '4'],
  )
  assert.deepEqual(await stop, { done: true, value: undefined })
  assert.deepEqual(await after, { done: true, value: undefined })
  assert.equal(scan.closed, 1)
})

test('a call does not overtake one that waits, though entries are at hand', async () => {
  const entries = new ScanEntries(new FakeScan(7), undefined)
  const first = entries.next()
  const second = entries.next()
  const third = first.then(() => entries.next())
  const found = await Promise.all([first, second, third])
  assert.deepEqual(
    found.map(({ value }) => value && textOf(value)),
    ['0', '1', '2'],
  )
})

test('a call that failed is not the end of those behind it: they say that it is over', async () => {
  const entries = new ScanEntries(new FakeScan(7, 0), undefined)
  const [first, second] = await Promise.allSettled([entries.next(), entries.next()])
  assert.equal(first?.status, 'rejected')
  assert.deepEqual(second, { status: 'fulfilled', value: { done: true, value: undefined } })
})

test('one that is thrown into, or returned before it began, closes its scan', async () => {
  const thrown = new FakeScan(7)
  await assert.rejects(new ScanEntries(thrown, undefined).throw(new Error('thrown')), /thrown/)
  const returned = new FakeScan(7)
  await new ScanEntries(returned, undefined).return()
  assert.deepEqual([thrown.closed, returned.closed, returned.pulls], [1, 1, 0])
})

test('an abort ends it before the next entry, also one that was read ahead', async () => {
  const abort = new AbortController()
  const scan = new FakeScan(7)
  const met: string[] = []
  await assert.rejects(
    async () => {
      for await (const each of new ScanEntries(scan, abort.signal)) {
        met.push(textOf(each))
        if (met.length === 2) abort.abort()
      }
    },
    { code: 'ABORTED' },
  )
  assert.deepEqual([met, scan.closed], [['0', '1'], 1])
})
