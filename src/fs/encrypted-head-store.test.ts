import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { randomBytes } from '../testing/file-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { EncryptedHeadStore } from './encrypted-head-store.ts'
import type { HeadStore } from './fs.ts'
import { KeyRing } from './key-ring.ts'
import { MemoryHeadStore } from './memory-head-store.ts'

const hash = await loadHash()
const SHARD = shardId('shard')
const OTHER = shardId('other')

function encrypted(inner: HeadStore, id = 'k', secret = randomBytes(1, 32)): EncryptedHeadStore {
  return new EncryptedHeadStore(inner, { keys: new KeyRing([{ id, secret }]), random: new SeededRandom(1), hash })
}

async function holding(shard: ShardId, content: Uint8Array): Promise<HeadStore> {
  const inner = new MemoryHeadStore()
  await inner.compareAndSet(shard, undefined, content)
  return inner
}

test('nothing of a head is in what is stored', async () => {
  const inner = new MemoryHeadStore()
  await encrypted(inner).compareAndSet(SHARD, undefined, Buffer.from('attack at dawn'))
  assert.ok(!Buffer.from((await inner.read(SHARD))?.content ?? '').includes('attack'))
})

test('a head that was changed, or is of another shard, is HEAD_CORRUPT', async () => {
  const inner = new MemoryHeadStore()
  await encrypted(inner).compareAndSet(SHARD, undefined, randomBytes(1, 50))
  const stored = (await inner.read(SHARD))?.content ?? new Uint8Array()
  for (let at = 8; at < stored.length; at++) {
    const changed = stored.slice()
    changed[at] = (changed[at] as number) ^ 4
    await failsWith(async () => encrypted(await holding(SHARD, changed)).read(SHARD), 'HEAD_CORRUPT', `byte ${at}`)
  }
  await failsWith(async () => encrypted(await holding(OTHER, stored)).read(OTHER), 'HEAD_CORRUPT', 'of another shard')
})

test('a head under a key that is missing or another is WRONG_KEY, a plain one is INCOMPATIBLE', async () => {
  const inner = new MemoryHeadStore()
  await encrypted(inner).compareAndSet(SHARD, undefined, randomBytes(1, 50))
  await failsWith(() => encrypted(inner, 'other').read(SHARD), 'WRONG_KEY', 'a missing key')
  await failsWith(() => encrypted(inner, 'k', randomBytes(2, 32)).read(SHARD), 'WRONG_KEY', 'another key')
  await failsWith(async () => encrypted(await holding(SHARD, randomBytes(1, 500))).read(SHARD), 'INCOMPATIBLE', 'plain')
})
