/** Merging shards that are not in one place, or not of one kind: refused, and both go on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { KeyOrder } from '../../src/kernel/key-order.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { bytes, contentOf, fill, filled, key } from './changes.ts'

const AT = bytes(key(100))

/** Each has its keys, takes writes, and is there when it is opened again. */
async function goesOn(shard: Simulation, wanted: readonly string[], index: number): Promise<void> {
  await fill(shard.db, 'later', index, index + 1)
  await shard.reopen()
  assert.deepEqual(await contentOf(shard.db), [...wanted, ...filled('later', index, index + 1)].sort())
  await shard.stop()
}

test('shards of two directories are not merged, though they have the same names', async () => {
  const [left, right] = [await Simulation.start(1, TINY_SETTINGS), await Simulation.start(2, TINY_SETTINGS)]
  await fill(left.db, 'left', 0, 20)
  await fill(right.db, 'right', 120, 140)
  await assert.rejects(left.db.merge(right.db, AT, 'merged'), {
    code: 'NOT_FOUND',
    message: /main is not in the place/,
  })
  await goesOn(left, filled('left', 0, 20), 50)
  await goesOn(right, filled('right', 120, 140), 150)
})

test('shards that have their heads in one place, and their files in two, are not merged', async () => {
  const left = await Simulation.start(3, TINY_SETTINGS)
  await left.db.clone('other')
  const hash = await loadHash()
  const { device, random } = left
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  const right = new Simulation(4, TINY_SETTINGS, {}, 'other', { files: new MemoryFileStore({ hash }), heads })
  await right.open()
  await fill(left.db, 'left', 0, 20)
  await fill(right.db, 'right', 120, 140)
  await assert.rejects(left.db.merge(right.db, AT, 'merged'), {
    code: 'NOT_FOUND',
    message: /other is not in the place of shard main/,
  })
  await goesOn(left, filled('left', 0, 20), 50)
  await goesOn(right, filled('right', 120, 140), 150)
})

test('shards of two orders are not merged', async () => {
  const left = await Simulation.start(5, TINY_SETTINGS)
  const right = new Simulation(6, TINY_SETTINGS, {}, 'right')
  right.device = left.device
  const order: KeyOrder = { name: 'backwards', bytewise: false, compare: (...keys) => -BYTEWISE.compare(...keys) }
  await right.open({ order: { order, module: 'varve-test/backwards', export: 'order' } })
  const first = bytes(key(0))
  await left.db.put(first, first)
  await assert.rejects(left.db.merge(right.db, AT, 'merged'), { code: 'INCOMPATIBLE', message: /order backwards/ })
  await left.db.put(first, AT)
  await right.db.put(AT, AT)
  await right.stop()
  await left.stop()
})
