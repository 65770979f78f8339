import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockCache } from './block-cache.ts'
import { CachedBlock } from './block-queue.ts'

class Slots {
  readonly slots: (Block | undefined)[] = []
  readonly #cache: BlockCache

  constructor(cache: BlockCache) {
    this.#cache = cache
  }

  evicted(blockNumber: number): void {
    this.slots[blockNumber] = undefined
  }

  load(blockNumber: number, chargeBytes: number): void {
    const block = new Block(this, blockNumber, chargeBytes)
    if (this.#cache.insert(block)) this.slots[blockNumber] = block
  }

  use(blockNumber: number): boolean {
    const block = this.slots[blockNumber]
    if (block !== undefined) block.touched = true
    return block !== undefined
  }
}

class Block extends CachedBlock {
  moves = 0

  moveTo(): void {
    this.moves++
  }
}

test('the budget holds, and slots and cache agree on what is kept', () => {
  const step = fc.record({ number: fc.nat(30), bytes: fc.integer({ min: 1, max: 400 }), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.nat(1000), fc.nat(300), (steps, cacheBytes, pinned) => {
      const cache = new BlockCache({ cacheBytes })
      const owner = new Slots(cache)
      cache.pin(pinned)
      for (const { number, bytes, remove } of steps) {
        const block = owner.slots[number]
        if (block !== undefined && remove) {
          cache.remove(block)
          owner.slots[number] = undefined
        } else if (!owner.use(number)) owner.load(number, bytes)
        const kept = owner.slots.filter((each) => each !== undefined)
        const { blockBytes, blockCount } = cache.statistics
        assert.equal(blockCount, kept.length)
        assert.equal(
          blockBytes,
          kept.reduce((sum, each) => sum + each.chargeBytes, 0),
        )
        assert.ok(blockBytes <= Math.max(0, cacheBytes - pinned))
      }
    }),
  )
})

test('nothing is kept in a cache of no bytes', () => {
  const owner = new Slots(new BlockCache({ cacheBytes: 0 }))
  owner.load(1, 1)
  assert.equal(owner.use(1), false)
})

test('blocks in use survive a scan through many times the cache', () => {
  const cache = new BlockCache({ cacheBytes: 100_000 })
  const owner = new Slots(cache)
  for (let number = 0; number < 50; number++) {
    owner.load(number, 1000)
    owner.use(number)
  }
  for (let number = 1000; number < 3000; number++) {
    owner.load(number, 1000)
    if (number % 10 === 0) for (let used = 0; used < 50; used++) owner.use(used)
  }
  let survivors = 0
  for (let number = 0; number < 50; number++) if (owner.use(number)) survivors++
  assert.ok(survivors >= 48, `${survivors} of 50 blocks in use survived`)
})

test('a block that is larger than the cache is not kept, and takes no other’s place', () => {
  const cache = new BlockCache({ cacheBytes: 1000 })
  const owner = new Slots(cache)
  for (let number = 0; number < 10; number++) owner.load(number, 100)
  owner.load(10, 1001)
  assert.equal(owner.use(10), false)
  assert.deepEqual([cache.statistics.blockCount, cache.statistics.evictions], [10, 0])
})

test('pinned bytes take the place of blocks, and give it back', () => {
  const cache = new BlockCache({ cacheBytes: 10_000 })
  const owner = new Slots(cache)
  for (let number = 0; number < 10; number++) owner.load(number, 1000)
  cache.pin(9500)
  assert.equal(cache.statistics.blockCount, 0)
  cache.unpin(9500)
  owner.load(1, 1000)
  assert.equal(cache.statistics.blockCount, 1)
})

test('settings out of range or unknown are refused by name', () => {
  assert.throws(() => new BlockCache({ cacheBytes: -1 }), /cacheBytes/)
  assert.throws(() => new BlockCache({ probationShare: 2 }), /probationShare/)
  assert.throws(() => new BlockCache(JSON.parse('{"cachBytes":1}') as object), /cachBytes/)
})

test('a block that is kept for longer than its neighbours is given other memory, every time it stays', () => {
  const cache = new BlockCache({ cacheBytes: 1000 })
  const owner = new Slots(cache)
  owner.load(0, 100)
  const block = owner.slots[0] as Block
  for (let number = 1; number <= 40; number++) {
    assert.ok(owner.use(0), 'a block in use went')
    owner.load(number, 100)
  }
  assert.ok(block.moves >= 1)
})

test('large blocks are wanted while there is room, and then one in sixteen', () => {
  const cache = new BlockCache({ cacheBytes: 1000 })
  const slots = new Slots(cache)
  for (let number = 0; number < 2; number++) {
    assert.ok(cache.wantsLarge(500))
    slots.load(number, 500)
  }
  const wanted = Array.from({ length: 64 }, () => cache.wantsLarge(500)).filter(Boolean).length
  assert.equal(wanted, 4)
})
