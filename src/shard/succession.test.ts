/** Heads of shards that do not exist yet, or not any more: what is decided once stays, whatever is lost on the way. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName, seqno, shardId } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { plainHead } from '../../test/plain-head.ts'
import { createHead } from './checkpoint.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent, Succession } from './head-content.ts'
import { reclaimSuperseded } from './reclaim.ts'
import { changePin, clonePin } from './pins.ts'
import type { HandOver, VersionFile } from './shard.ts'
import { decide, outcomeOf, succeed } from './succession.ts'

const LEAD = shardId('lead')

function contentOf(succession: Succession | undefined, owner = ''): HeadContent {
  return plainHead({ owner, succession })
}

const forming: Succession = { state: 'forming', lead: LEAD, parents: [shardId('parent')] }

/** Heads whose next compare-and-set fails so, after it was made or without. */
class FailingHeads extends MemoryHeadStore {
  fails: { readonly code: 'HEAD_CONFLICT' | 'OUTCOME_UNKNOWN' | 'IO_FAILED'; readonly made: boolean } | undefined

  override async compareAndSet(
    ...call: Parameters<MemoryHeadStore['compareAndSet']>
  ): ReturnType<MemoryHeadStore['compareAndSet']> {
    const { fails } = this
    this.fails = undefined
    if (fails === undefined) return super.compareAndSet(...call)
    if (fails.made) await super.compareAndSet(...call)
    throw new VarveError(fails.code, 'as the test wants it')
  }
}

test('a change is decided once: whoever comes later, or has lost the answer, hears what it was', async () => {
  for (const [first, second, outcome] of [
    ['commit', 'void', 'committed'],
    ['void', 'commit', 'void'],
  ] as const) {
    for (const made of [true, false]) {
      const heads = new FailingHeads()
      await heads.compareAndSet(LEAD, undefined, encodeHead(contentOf(forming)))
      assert.equal(await outcomeOf(heads, LEAD), 'forming')
      heads.fails = { code: made ? 'OUTCOME_UNKNOWN' : 'HEAD_CONFLICT', made }
      assert.equal(await decide(heads, LEAD, first), outcome)
      assert.equal(await decide(heads, LEAD, second), outcome)
      assert.equal(await outcomeOf(heads, LEAD), outcome)
    }
  }
})

test('a lead that has no head is void, and stays so once somebody has said it', async () => {
  const heads = new FailingHeads()
  assert.equal(await outcomeOf(heads, LEAD), 'void')
  assert.equal(await decide(heads, LEAD, 'commit'), 'void')
  assert.equal(await decide(heads, LEAD, 'void', contentOf(undefined)), 'void')
  assert.ok((await heads.read(LEAD)) !== undefined, 'nobody can make it one any more')
  assert.equal(await decide(heads, LEAD, 'commit'), 'void')
  assert.equal(await outcomeOf(heads, LEAD), 'void')
})

test('a decision that cannot be stored is not taken', async () => {
  const heads = new FailingHeads()
  await heads.compareAndSet(LEAD, undefined, encodeHead(contentOf(forming)))
  heads.fails = { code: 'IO_FAILED', made: false }
  await assert.rejects(decide(heads, LEAD, 'commit'), { code: 'IO_FAILED' })
  assert.equal(await outcomeOf(heads, LEAD), 'forming')
})

test('a new head whose answer was lost is there, and one in the place of another is refused', async () => {
  const content = encodeHead(contentOf(undefined))
  const heads = new FailingHeads()
  heads.fails = { code: 'OUTCOME_UNKNOWN', made: true }
  await createHead(heads, LEAD, content)
  await createHead(heads, LEAD, content)
  await assert.rejects(createHead(heads, LEAD, encodeHead(contentOf(undefined, 'other'))), { code: 'EXISTS' })
  const nowhere = new FailingHeads()
  nowhere.fails = { code: 'OUTCOME_UNKNOWN', made: false }
  await assert.rejects(createHead(nowhere, LEAD, content), { code: 'OUTCOME_UNKNOWN' })
  nowhere.fails = { code: 'IO_FAILED', made: false }
  await assert.rejects(createHead(nowhere, LEAD, content), { code: 'IO_FAILED' })
})

test('nothing is removed of a shard that is not there or was not replaced; a lost answer is asked for again', async () => {
  const hash = await loadHash()
  const heads = new FailingHeads()
  const place = { files: new MemoryFileStore({ hash }), heads }
  const parent = shardId('parent')
  await assert.rejects(reclaimSuperseded(place, hash, parent), { code: 'NOT_FOUND' })
  const stored = await heads.compareAndSet(parent, undefined, encodeHead(contentOf(undefined)))
  await assert.rejects(reclaimSuperseded(place, hash, parent), { code: 'BUSY' })
  const sealed = { ...contentOf({ state: 'sealed', lead: LEAD, successors: [LEAD] }) }
  const pins = [
    { name: 'backup', files: ['parent.kept' as never] },
    { name: 'clone:gone', files: ['parent.unneeded' as never] },
  ]
  await heads.compareAndSet(parent, stored, encodeHead({ ...sealed, pins }))
  await heads.compareAndSet(LEAD, undefined, encodeHead(contentOf(undefined)))
  heads.fails = { code: 'OUTCOME_UNKNOWN', made: true }
  assert.deepEqual(await reclaimSuperseded(place, hash, parent), { removed: 0, kept: 1 })
  heads.fails = { code: 'IO_FAILED', made: false }
  await assert.rejects(reclaimSuperseded(place, hash, parent), { code: 'IO_FAILED' })
})

/** As an owner that opens `shard` does: what is pinned for shards without a head goes. */
class ForgetfulHeads extends MemoryHeadStore {
  forgets: (() => Promise<void>) | undefined

  override async compareAndSet(
    ...call: Parameters<MemoryHeadStore['compareAndSet']>
  ): ReturnType<MemoryHeadStore['compareAndSet']> {
    const { forgets } = this
    if (call[0] === LEAD) {
      this.forgets = undefined
      await forgets?.()
    }
    return super.compareAndSet(...call)
  }
}

/** A parent that sees a file of a third shard, and what that one has pinned for the successor. */
async function ofThird(heads: MemoryHeadStore): Promise<{
  readonly handOver: HandOver
  readonly file: VersionFile
  readonly pinned: () => Promise<readonly FileName[] | undefined>
  readonly letGo: () => Promise<void>
}> {
  const owner = shardId('owner')
  await heads.compareAndSet(owner, undefined, encodeHead(contentOf(undefined, 'somebody')))
  const name = fileName('owner.e1-j1-a1-0.table')
  const empty = new Uint8Array(0)
  const file: VersionFile = {
    ref: { name, bytes: 100, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group: 0,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(2),
    meta: empty,
    view: empty,
  }
  const done = (): Promise<void> => Promise.resolve()
  const handOver: HandOver = {
    shard: shardId('parent'),
    head: contentOf(undefined, 'us'),
    manifest: { ...EMPTY_MANIFEST, files: new Map([[name, file]]) },
    pin: done,
    seal: done,
    resume: done,
    end: () => undefined,
  }
  return {
    handOver,
    file,
    pinned: async () => {
      const head = await heads.read(owner)
      const { pins } = decodeHead((head as NonNullable<typeof head>).content, 'head of owner')
      return pins.find((pin) => pin.name === clonePin(LEAD))?.files
    },
    letGo: () => changePin(heads, owner, clonePin(LEAD), () => []),
  }
}

test('a file of a third shard stays pinned for who will see it, though an owner that opened it meanwhile let it go', async () => {
  const heads = new ForgetfulHeads()
  const { handOver, file, pinned, letGo } = await ofThird(heads)
  heads.forgets = async () => {
    assert.deepEqual(await pinned(), [file.ref.name], 'before the head that refers to it')
    await letGo()
  }
  const place = { heads, files: new MemoryFileStore({ hash: await loadHash() }) }
  await succeed([handOver], [{ shard: LEAD, files: [file] }], place)
  assert.equal(await outcomeOf(heads, LEAD), 'committed')
  assert.deepEqual(await pinned(), [file.ref.name])
})

test('a change that is given up lets go of what it has pinned of a third shard, whose files would stay for nobody', async () => {
  const heads = new MemoryHeadStore()
  const { handOver, file, pinned } = await ofThird(heads)
  const refusal = new VarveError('IO_FAILED', 'as the test wants it')
  const seal = async (): Promise<never> => {
    assert.deepEqual(await pinned(), [file.ref.name], 'while it is still open')
    throw refusal
  }
  const place = { heads, files: new MemoryFileStore({ hash: await loadHash() }) }
  await assert.rejects(succeed([{ ...handOver, seal }], [{ shard: LEAD, files: [file] }], place), refusal)
  assert.equal(await outcomeOf(heads, LEAD), 'void')
  assert.equal(await pinned(), undefined)
})
