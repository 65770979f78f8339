/** What abstract-level's suite does not ask of iterators: bounds of seeks, read-ahead, turns. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scan } from '../../src/engines/kv/scan.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { fill, opened } from './fresh-level.ts'

test('a seek outside of the range ends the iterator, one inside goes there', async (context) => {
  const db = await opened(context)
  for (let digit = 0; digit < 10; digit++) await db.put(String(digit), String(digit))
  const cases: readonly (readonly [object, string, string | undefined])[] = [
    [{ gt: '5' }, '4', undefined],
    [{ gt: '5' }, '5', undefined],
    [{ gt: '5' }, '6', '6'],
    [{ gte: '5' }, '4', undefined],
    [{ gte: '5' }, '5', '5'],
    // A closed bound takes precedence over an open one.
    [{ gte: '5', gt: '7' }, '6', '6'],
    [{ gte: '5', gt: '3' }, '4', undefined],
    [{ lt: '5' }, '4', '4'],
    [{ lt: '5' }, '5', undefined],
    [{ lte: '5' }, '5', '5'],
    [{ lte: '5', lt: '3' }, '5', '5'],
    [{ lte: '5', lt: '7' }, '6', undefined],
    [{ lt: '5', reverse: true }, '4', '4'],
    [{ lt: '5', reverse: true }, '6', undefined],
    [{ gt: '5', reverse: true }, '5', undefined],
    [{ gt: '5', reverse: true }, '6', '6'],
    [{ gt: '7', lt: '8' }, '7', undefined],
    [{ gte: '7', lt: '8' }, '7', '7'],
  ]
  for (const [range, target, expected] of cases) {
    const iterator = db.keys(range)
    iterator.seek(target)
    assert.equal(await iterator.next(), expected, `${JSON.stringify(range)} seek ${target}`)
    // Outside is not for ever.
    iterator.seek('5')
    await iterator.next()
    await iterator.close()
  }
})

test('highWaterMarkBytes bounds nextv() and what next() reads ahead, but not all()', async (context) => {
  const db = await opened(context)
  await db.batch().put('a', '0').put('b', '1').put('c', '2').put('d', '3').write()
  const chunk = async (highWaterMarkBytes: number): Promise<number> => {
    const iterator = db.iterator({ highWaterMarkBytes })
    const entries = await iterator.nextv(1000)
    await iterator.close()
    return entries.length
  }
  assert.equal(await chunk(0), 1)
  assert.equal(await chunk(1), 1)
  assert.equal(await chunk(2), 2, 'the mark must be exceeded, not met')
  assert.equal(await chunk(Infinity), 4)
  assert.equal((await db.iterator({ highWaterMarkBytes: 0 }).all()).length, 4)
  const keys = db.keys({ highWaterMarkBytes: 2 })
  assert.deepEqual(await keys.nextv(1000), ['a', 'b', 'c'], 'only what is asked for counts')
  await keys.close()
  for (const wrong of [-1, Number.NaN, '1']) {
    assert.throws(() => db.iterator({ highWaterMarkBytes: wrong as number }), { name: 'TypeError' })
  }
})

// Found by abstract-level's suite over blocks of 64 bytes.
test('nextv() brings all that it is asked for, whether or not its blocks are at hand', async (context) => {
  const db = await opened(context, { blockSize: 64, cacheSize: 0 })
  await fill(db, 100)
  await db.compactRange('0000', '9999')
  const keys = db.keys({ limit: 70 })
  assert.equal((await keys.nextv(50)).length, 50)
  assert.equal((await keys.nextv(50)).length, 20)
  await keys.close()
  const marked = db.keys({ highWaterMarkBytes: 99 })
  assert.equal((await marked.nextv(50)).length, 25, 'the mark counts over blocks, too')
  await marked.close()
})

test('what nextv() had read before an error is given to who reads on', async (context) => {
  const db = await opened(context, { blockSize: 64, cacheSize: 0 })
  await fill(db, 100)
  await db.compactRange('0000', '9999')
  // oxlint-disable-next-line typescript/unbound-method -- it is applied to the scan it is called on
  const original = Scan.prototype.next
  const scan = context.mock.method(Scan.prototype, 'next', function next(this: Scan, ...given: [number, number]) {
    if (scan.mock.callCount() === 1) return Promise.reject(new VarveError('IO_FAILED', 'once'))
    return original.apply(this, given)
  })
  const keys = db.keys()
  await assert.rejects(keys.nextv(100), { code: 'LEVEL_IO_ERROR' })
  assert.equal((await keys.all()).length, 100)
})

test('next(), nextv() and all() can follow one another, whatever was read ahead', async (context) => {
  const db = await opened(context)
  await fill(db, 20)
  const keys = db.keys({ limit: 15 })
  assert.equal(await keys.next(), '0000')
  assert.equal(await keys.next(), '0001')
  assert.deepEqual(await keys.nextv(2), ['0002', '0003'])
  keys.seek('0010')
  assert.equal(await keys.next(), '0010')
  assert.equal(await keys.next(), '0011')
  const rest = await keys.all()
  assert.deepEqual(rest, ['0012', '0013', '0014', '0015', '0016', '0017', '0018', '0019'])
  assert.equal(keys.count, 14)
})

test('what was read ahead and dropped by a seek does not count against the limit', async (context) => {
  const db = await opened(context)
  await fill(db, 10)
  const keys = db.keys({ limit: 5 })
  await keys.next()
  await keys.next()
  keys.seek('0007')
  assert.deepEqual(await keys.nextv(10), ['0007', '0008', '0009'])
  assert.deepEqual(await keys.nextv(10), [])
  await keys.close()
})

test('a long iteration over what is in memory lets the event loop turn', async (context) => {
  let turns = 0
  class CountingClock extends SystemClock {
    override turn(): Promise<void> {
      turns++
      return super.turn()
    }
  }
  const db = await opened(context, { clock: new CountingClock() })
  await fill(db, 9000)
  assert.equal((await db.iterator().all()).length, 9000)
  assert.ok(turns >= 8, `${turns} turns in all()`)
  turns = 0
  for await (const key of db.keys()) assert.equal(key.length, 4)
  assert.ok(turns >= 8, `${turns} turns in next()`)
})

test('what is left of a limit is what next(), nextv() and all() give together', async (context) => {
  const db = await opened(context)
  await fill(db, 20)
  for (const first of [0, 2]) {
    for (const more of [0, 3]) {
      const iterator = db.keys({ limit: 8 })
      const found: string[] = []
      for (let count = 0; count < first; count++) found.push((await iterator.next()) as string)
      found.push(...(more === 0 ? [] : await iterator.nextv(more)), ...(await iterator.all()))
      assert.deepEqual(
        found,
        Array.from({ length: 8 }, (_, index) => String(index).padStart(4, '0')),
      )
    }
  }
})
