import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeadVersion } from '../fs/fs.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { plainHead } from '../../test/plain-head.ts'
import { FollowerPins } from './follower-pins.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { PresentHead } from './stored-head.ts'

const [own, other] = [shardId('own'), shardId('other')]
const [FIRST, SECOND, FOREIGN] = [fileName('own.e1-a'), fileName('own.e1-b'), fileName('other.e1-a')]

const HEAD = plainHead({ commit: 1 })

async function headOf(heads: MemoryHeadStore, shard: ShardId): Promise<PresentHead> {
  const stored = await heads.read(shard)
  assert.ok(stored !== undefined)
  return { stored, content: decodeHead(stored.content, 'head') }
}

async function pinned(heads: MemoryHeadStore, shard: ShardId): Promise<readonly string[]> {
  return (await headOf(heads, shard)).content.pins.flatMap(({ files }) => files).sort()
}

test('a follower holds what a view from before still sees, beside what it shows, until that is released', async () => {
  const heads = new MemoryHeadStore()
  for (const shard of [own, other]) await heads.compareAndSet(shard, undefined, encodeHead(HEAD))
  const pins = new FollowerPins(own, heads, 'f')
  assert.equal(await pins.keep(await headOf(heads, own), [FIRST, FOREIGN]), true)
  assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[FOREIGN, FIRST].sort(), [FOREIGN]])
  const seen = await headOf(heads, own)
  assert.equal(await pins.keep(seen, [SECOND]), true)
  assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[FOREIGN, FIRST, SECOND].sort(), [FOREIGN]])
  assert.equal(await pins.keep(seen, [SECOND]), false, 'the head has changed since')
  pins.release([FIRST, FOREIGN])
  assert.equal(await pins.keep(await headOf(heads, own), [SECOND]), true)
  assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[SECOND], []])
  await pins.clear()
  assert.deepEqual(await pinned(heads, own), [])
})

test('a follower that begins under the name of one that has died lets go of all that one had pinned, wherever', async () => {
  for (const begins of [true, false]) {
    const heads = new MemoryHeadStore()
    for (const shard of [own, other]) await heads.compareAndSet(shard, undefined, encodeHead(HEAD))
    assert.equal(await new FollowerPins(own, heads, 'f').keep(await headOf(heads, own), [FIRST, FOREIGN]), true)
    const next = new FollowerPins(own, heads, 'f')
    if (begins) {
      // The shard needs nothing of the other one any more.
      assert.equal(await next.keep(await headOf(heads, own), [SECOND]), true)
      assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[SECOND], []])
    }
    // It may be none that can be followed any more.
    await next.clear()
    assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[], []])
  }
})

test('what was pinned for a head that had changed by then is let go where the next one does not need it', async () => {
  const heads = new MemoryHeadStore()
  for (const shard of [own, other]) await heads.compareAndSet(shard, undefined, encodeHead(HEAD))
  const pins = new FollowerPins(own, heads, 'f')
  const before = await headOf(heads, own)
  await heads.compareAndSet(own, before.stored.version, encodeHead(HEAD))
  assert.equal(await pins.keep(before, [FIRST, FOREIGN]), false)
  assert.equal(await pins.keep(await headOf(heads, own), [FIRST]), true)
  assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[FIRST], []])
})

test('what tells which others have a pin of a follower goes last: ended in its midst, the next one finds them', async () => {
  class HalfHeads extends MemoryHeadStore {
    fails = false

    override compareAndSet(...call: Parameters<MemoryHeadStore['compareAndSet']>): Promise<HeadVersion> {
      if (this.fails && call[0] === other) return Promise.reject(new VarveError('IO_FAILED', 'as the test wants it'))
      return super.compareAndSet(...call)
    }
  }
  const heads = new HalfHeads()
  for (const shard of [own, other]) await heads.compareAndSet(shard, undefined, encodeHead(HEAD))
  const pins = new FollowerPins(own, heads, 'f')
  assert.equal(await pins.keep(await headOf(heads, own), [FIRST, FOREIGN]), true)
  heads.fails = true
  await assert.rejects(pins.clear(), (error) => isCode(error, 'IO_FAILED'))
  heads.fails = false
  await new FollowerPins(own, heads, 'f').clear()
  assert.deepEqual([await pinned(heads, own), await pinned(heads, other)], [[], []])
})
