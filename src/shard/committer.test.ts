import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { epoch, shardId } from '../kernel/ids.ts'
import type { HeadStore } from '../fs/fs.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { Committer } from './committer.ts'
import { plainHead } from '../../test/plain-head.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'

const SHARD = shardId('main')

async function owned(heads: HeadStore, owner: string, ownEpoch: number): Promise<Committer> {
  const before = await heads.read(SHARD)
  const content = plainHead({ owner, epoch: epoch(ownEpoch), commit: ownEpoch })
  return new Committer(heads, SHARD, await heads.compareAndSet(SHARD, before?.version, encodeHead(content)), content)
}

test('an owner that was replaced commits nothing, even where its count of commits fits', async () => {
  const heads = new MemoryHeadStore()
  const former = await owned(heads, 'former', 1)
  await owned(heads, 'latter', 2)
  const change = (): Partial<HeadContent> => ({ journalState: Uint8Array.of(1) })
  await assert.rejects(former.commit(change), { code: 'FENCED' })
  await assert.rejects(former.commit(change), { code: 'FENCED' })
  await assert.rejects(former.check(), { code: 'FENCED' })
  const stored = await heads.read(SHARD)
  assert.equal(decodeHead(stored?.content as Uint8Array, 'head').owner, 'latter')
  assert.equal(decodeHead(stored?.content as Uint8Array, 'head').journalState, undefined)
})

test('a commit whose answer was lost is made once', async () => {
  const heads = new MemoryHeadStore()
  let losing = false
  const forgetful: HeadStore = {
    name: 'forgetful',
    read: (shard) => heads.read(shard),
    async compareAndSet(shard, expected, content) {
      const version = await heads.compareAndSet(shard, expected, content)
      if (losing) throw new VarveError('OUTCOME_UNKNOWN', 'the answer was lost')
      return version
    },
  }
  const committer = await owned(forgetful, 'owner', 1)
  losing = true
  let changes = 0
  const committed = await committer.commit(() => ({ journalState: Uint8Array.of(++changes) }))
  losing = false
  assert.deepEqual([committed.commit, changes], [2, 1])
  await committer.commit(() => ({ journalState: Uint8Array.of(9) }))
  assert.equal(decodeHead((await heads.read(SHARD))?.content as Uint8Array, 'head').commit, 3)
})

test('an owner whose head is gone is replaced, and any other failure of the store is what it is', async () => {
  const heads = new MemoryHeadStore()
  const committer = await owned(heads, 'owner', 1)
  let fails: VarveError | undefined = new VarveError('NO_SPACE', 'full')
  const compareAndSet = heads.compareAndSet.bind(heads)
  heads.compareAndSet = (...call) => (fails === undefined ? compareAndSet(...call) : Promise.reject(fails))
  const change = (): Partial<HeadContent> => ({ journalState: Uint8Array.of(1) })
  await assert.rejects(committer.commit(change), { code: 'NO_SPACE' })
  fails = undefined
  assert.equal((await committer.commit(change)).commit, 2, 'nothing had happened')
  fails = new VarveError('HEAD_CONFLICT', 'somebody')
  heads.read = () => Promise.resolve(undefined)
  await assert.rejects(committer.check(), { code: 'FENCED' })
  await assert.rejects(committer.commit(change), { code: 'FENCED' })
})

test('who is told why it failed hears of another owner, and of nothing else', async () => {
  const heads = new MemoryHeadStore()
  const former = await owned(heads, 'former', 1)
  const heard: string[] = []
  const lost = (error: VarveError): void => void heard.push(error.code)
  await former.hearIfLost(lost)
  const read = heads.read.bind(heads)
  heads.read = () => Promise.reject(new VarveError('IO_FAILED', 'no'))
  await former.hearIfLost(lost)
  assert.deepEqual(heard, [])
  heads.read = read
  await owned(heads, 'latter', 2)
  await former.hearIfLost(lost)
  assert.deepEqual(heard, ['FENCED'])
})

test('an owner that finds no head after a conflict commits no more', async () => {
  const heads = new MemoryHeadStore()
  const committer = await owned(heads, 'owner', 1)
  const read = heads.read.bind(heads)
  heads.compareAndSet = () => Promise.reject(new VarveError('HEAD_CONFLICT', 'somebody'))
  heads.read = () => Promise.resolve(undefined)
  const change = (): Partial<HeadContent> => ({})
  await assert.rejects(committer.commit(change), { code: 'FENCED', message: /the head is gone/ })
  heads.read = read
  await assert.rejects(committer.commit(change), { code: 'FENCED', message: /the head is gone/ })
})

test('an owner whose newest head is gone does not go on from the one before, of its own or of the owner before it', async () => {
  for (const lost of [2, 4]) {
    const heads = new MemoryHeadStore()
    await owned(heads, 'former', 1)
    const kept = [await heads.read(SHARD)]
    const committer = await owned(heads, 'owner', 2)
    kept.push(await heads.read(SHARD))
    const change = (): Partial<HeadContent> => ({ journalState: Uint8Array.of(1) })
    await committer.commit(change)
    await committer.commit(change)
    const [older, compareAndSet] = [kept[lost === 4 ? 0 : 1], heads.compareAndSet.bind(heads)]
    heads.read = () => Promise.resolve(older)
    let conflicts = 0
    heads.compareAndSet = () =>
      Promise.reject(new VarveError(conflicts++ < 3 ? 'HEAD_CONFLICT' : 'IO_FAILED', 'it is another one'))
    await assert.rejects(committer.commit(change), { code: 'FENCED', message: /the head is gone/ })
    heads.compareAndSet = compareAndSet
    await assert.rejects(committer.commit(change), { code: 'FENCED', message: /the head is gone/ })
  }
})

test('where the head cannot be read back after an unknown outcome, nothing is committed any more', async () => {
  const heads = new MemoryHeadStore()
  const committer = await owned(heads, 'owner', 1)
  heads.compareAndSet = () => Promise.reject(new VarveError('OUTCOME_UNKNOWN', 'who knows'))
  const read = heads.read.bind(heads)
  heads.read = () => Promise.reject(new VarveError('IO_FAILED', 'no'))
  await assert.rejects(
    committer.commit(() => ({})),
    { code: 'OUTCOME_UNKNOWN' },
  )
  heads.read = read
  await assert.rejects(
    committer.commit(() => ({})),
    { code: 'OUTCOME_UNKNOWN' },
  )
})
