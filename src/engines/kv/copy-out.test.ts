import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CopyOut } from './copy-out.ts'

test('copies of any length and place are equal to their source, own it and never overlap', () => {
  const block = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 7) & 0xff)
  const shared = new Uint8Array(new SharedArrayBuffer(block.length))
  shared.set(block)
  for (const source of [block, shared]) {
    const copies = new CopyOut()
    const view = new DataView(source.buffer)
    const made: { readonly copy: Uint8Array; readonly start: number }[] = []
    for (let round = 0; round < 3000; round++) {
      const length = (round * 31) % (round % 100 === 0 ? 6000 : 140)
      // Now and then the last bytes of the block, where no whole word may be read.
      const start = round % 7 === 0 ? source.length - length : (round * 131) % (source.length - length)
      const copy = round % 2 === 0 ? copies.copy(source, start, length) : copies.copyWords(source, view, start, length)
      assert.equal(copy.length, length)
      assert(!(copy.buffer instanceof SharedArrayBuffer))
      made.push({ copy, start })
    }
    for (const { copy, start } of made)
      assert.deepEqual(new Uint8Array(copy), new Uint8Array(block.slice(start, start + copy.length)))
  }
})

test('a small copy that is kept keeps at most 16 KiB', () => {
  const copies = new CopyOut()
  for (const length of [0, 1, 100, 4096]) {
    assert(copies.copy(new Uint8Array(5000), 0, length).buffer.byteLength <= 16 * 1024)
  }
  assert.equal(copies.copy(new Uint8Array(5000), 0, 5000).buffer.byteLength, 5000)
})
