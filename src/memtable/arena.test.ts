import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KIB } from '../kernel/limits.ts'
import { ArenaPool } from './arena.ts'
import { ArenaAllocator } from './arena-allocator.ts'

test('a chunk that was given back is lent again, and counted where it is', () => {
  const pool = new ArenaPool({ chunkBytes: 4 * KIB, idleBytesMax: 8 * KIB })
  const [first, second, third] = [pool.take(), pool.take(), pool.take()]
  assert.equal(new Set([first.id, second.id, third.id]).size, 3, 'ids are unique')
  assert.deepEqual([pool.usedBytes, pool.residentBytes], [12 * KIB, 12 * KIB])
  pool.give([first, second, third])
  assert.deepEqual([pool.usedBytes, pool.residentBytes], [0, 8 * KIB], 'no more than idleBytesMax is kept')
  const again = [pool.take(), pool.take()]
  assert.deepEqual(new Set(again), new Set([first, second]), 'the same chunks, under the same ids')
})

test('oversized chunks are reused where not more than half is wasted, and go first when the pool is full', () => {
  const pool = new ArenaPool({ chunkBytes: 4 * KIB, idleBytesMax: 40 * KIB })
  const large = pool.take(20 * KIB)
  assert.equal(large.buffer.byteLength, 20 * KIB)
  pool.give([large])
  assert.notEqual(pool.take(8 * KIB), large, 'too large')
  assert.notEqual(pool.take(21 * KIB), large, 'too small')
  assert.equal(pool.take(10 * KIB), large)
  pool.give([large])
  const chunks = Array.from({ length: 10 }, () => pool.take())
  pool.give(chunks)
  assert.notEqual(pool.take(20 * KIB), large, 'it made room for chunks of the usual size')
  assert.equal(pool.residentBytes - pool.usedBytes, 40 * KIB)
})

test('settings out of range are refused', () => {
  for (const chunkBytes of [0, 2 * KIB, 5000, 2 ** 31]) {
    assert.throws(() => new ArenaPool({ chunkBytes }), RangeError)
  }
  assert.throws(() => new ArenaPool({ idleBytesMax: -1 }), RangeError)
})

test('allocations never overlap, are aligned, and stay inside their chunk', () => {
  const pool = new ArenaPool({ chunkBytes: 4 * KIB })
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 })), { maxLength: 200 }),
      (sizes) => {
        const allocator = new ArenaAllocator(pool)
        const { view } = allocator
        const taken = sizes.map((size) => ({ size, address: allocator.allocate(size) }))
        for (const [index, { size, address }] of taken.entries()) {
          assert.ok(address > 0, '0 is no address')
          const bytes = view.bytes[address >>> view.shift] as Uint8Array
          const start = (address & view.mask) << 3
          assert.ok(start + size <= bytes.length, 'inside its chunk')
          bytes.fill(index, start, start + size)
        }
        for (const [index, { size, address }] of taken.entries()) {
          const start = (address & view.mask) << 3
          const bytes = (view.bytes[address >>> view.shift] as Uint8Array).subarray(start, start + size)
          assert.ok(
            bytes.every((byte) => byte === (index & 255)),
            'nobody else wrote there',
          )
        }
        const least = sizes.reduce((sum, size) => sum + size, 0)
        assert.ok(allocator.bytes >= least, 'all that was handed out counts')
        assert.ok(allocator.bytes <= pool.usedBytes, 'and no more than was taken from the pool')
        allocator.release()
        assert.deepEqual([allocator.bytes, pool.usedBytes], [0, 0])
      },
    ),
    { numRuns: 100 },
  )
})
