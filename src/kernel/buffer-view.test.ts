import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferView } from './buffer-view.ts'

test('a view is the Buffer that Buffer.from makes, over the same memory', () => {
  for (const memory of [new ArrayBuffer(64), new SharedArrayBuffer(64)]) {
    const view = new BufferView(memory, 8, 16)
    assert.ok(Buffer.isBuffer(view))
    assert.equal(Object.getPrototypeOf(view), Buffer.prototype)
    assert.deepEqual([view.buffer, view.byteOffset, view.length], [memory, 8, 16])
    view.write('text')
    assert.equal(Buffer.from(new Uint8Array(memory).slice(8, 12)).toString(), 'text')
    assert.equal(view.subarray(0, 4).toString(), 'text')
  }
  assert.equal(new BufferView(new ArrayBuffer(8), 8, 0).length, 0)
  assert.throws(() => new BufferView(new ArrayBuffer(8), 4, 5), RangeError)
})

test('Node has a constructor for it, so that nothing is looked at twice', () => {
  assert.equal(BufferView, Reflect.get(Buffer, Symbol.species))
})
