import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockMemory } from './block-memory.ts'

test('whatever is taken is aligned, of its length, and nobody else has it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 1, max: 70_000 })), { maxLength: 60 }), (lengths) => {
      const memory = new BlockMemory()
      const taken = lengths.map((length) => memory.take(length))
      taken.forEach((bytes, index) => {
        assert.equal(bytes.length, lengths[index])
        assert.equal(bytes.byteOffset % 8, 0)
        bytes.fill(index % 256)
      })
      taken.forEach((bytes, index) => assert.ok(bytes.every((byte) => byte === index % 256)))
    }),
    { numRuns: 50, seed: 1 },
  )
})
