import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Views } from './version.ts'

function views(): Views<string, undefined> {
  return new Views(['a'], { files: [], shape: undefined })
}

test('what no view sees any more is released at once when nothing is pinned', () => {
  const released: string[] = []
  const all = views()
  all.advance(['b'], all.current.version, [() => released.push('a')])
  assert.deepEqual(released, ['a'])
})

test('a pinned view keeps what later views dropped, until it is unpinned as often as pinned', () => {
  const released: string[] = []
  const all = views()
  const first = all.pin()
  assert.equal(all.pin(), first)
  all.advance(['b'], all.current.version, [() => released.push('a')])
  const second = all.pin()
  all.advance(['c'], all.current.version, [() => released.push('b')])
  all.unpin(first)
  assert.deepEqual(released, [])
  all.unpin(first)
  assert.deepEqual(released, ['a'], 'only what the second view does not see')
  assert.equal(all.pinnedCount, 1)
  all.unpin(second)
  assert.deepEqual(released, ['a', 'b'])
  assert.deepEqual(first.tables, ['a'], 'a view never changes')
})

test('a frozen view leaves out the table that still changes, and holds the rest until it is unpinned', () => {
  const released: string[] = []
  const all = new Views(['active', 'older', 'oldest'], { files: [], shape: undefined })
  const frozen = all.pinFrozen()
  assert.deepEqual(frozen.tables, ['older', 'oldest'])
  all.advance(['active'], all.current.version, [() => released.push('older and oldest')])
  assert.deepEqual(released, [])
  all.unpin(frozen)
  assert.deepEqual(released, ['older and oldest'])
})

test('unpinning more often than pinning is noticed', () => {
  const all = views()
  const view = all.pin()
  all.unpin(view)
  assert.throws(() => all.unpin(view), /more often/)
})
