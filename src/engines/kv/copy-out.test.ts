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

// Whoever posted a value to a worker with its `buffer` in the list of transfers emptied the results beside it, and every
// read of the database after that threw a TypeError. Node 20 copies what cannot be transferred, later ones refuse.
test('transferring a small copy takes nothing away from others, nor from those to come', () => {
  const block = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff)
  const copies = new CopyOut()
  const { port1, port2 } = new MessageChannel()
  for (let round = 0; round < 2; round++) {
    const [one, other] = [copies.copy(block, 1, 100), copies.copyWords(block, new DataView(block.buffer), 2, 100)]
    try {
      port1.postMessage(one, [one.buffer as ArrayBuffer])
    } catch (error) {
      assert.ok(error instanceof DOMException && error.name === 'DataCloneError', String(error))
    }
    assert.deepEqual(new Uint8Array(one), block.subarray(1, 101))
    assert.deepEqual(new Uint8Array(other), block.subarray(2, 102))
  }
  const large = copies.copy(block, 0, 5000)
  port1.postMessage(large, [large.buffer as ArrayBuffer])
  assert.equal(large.length, 0, 'a large copy has memory of its own, which can be transferred')
  port1.close()
  port2.close()
})
