/** Clones, step by step: what is decided where another owner comes in between, or an answer is lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { epoch, fileName, seqno, shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { Head, HeadVersion } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { plainHead } from '../../test/plain-head.ts'
import type { Origin } from './checkpoint.ts'
import { writeClone } from './clone.ts'
import { Committer } from './committer.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import { changePin, clonePin, withoutFiles } from './pins.ts'
import type { VersionFile } from './shard.ts'
import { decide, outcomeOf } from './succession.ts'

const [MAIN, OTHER, CLONE] = [shardId('main'), shardId('other'), shardId('clone')]
const hash = await loadHash()

/** Heads that do something else once the clone's is written, or decided on. */
class HookedHeads extends MemoryHeadStore {
  written: (() => Promise<void>) | undefined
  decided: ((make: () => Promise<HeadVersion>) => Promise<HeadVersion>) | undefined
  away = false

  override async read(shard: ShardId): Promise<Head | undefined> {
    if (this.away) throw new VarveError('IO_FAILED', 'as the test wants it')
    return super.read(shard)
  }

  override async compareAndSet(...call: Parameters<MemoryHeadStore['compareAndSet']>): Promise<HeadVersion> {
    const [shard, expected] = call
    const { decided } = this
    if (shard !== CLONE) return super.compareAndSet(...call)
    if (expected !== undefined && decided !== undefined) {
      this.decided = undefined
      return decided(() => super.compareAndSet(...call))
    }
    const version = await super.compareAndSet(...call)
    if (expected === undefined) await this.written?.()
    return version
  }
}

function fileOf(shard: ShardId): VersionFile {
  const empty = new Uint8Array(0)
  return {
    ref: { name: fileName(`${shard}.e1-j1-a1-0.table`), bytes: 100, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group: 0,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(2),
    meta: empty,
    view: empty,
  }
}

async function start() {
  const heads = new HookedHeads()
  const head = plainHead({ owner: 'us' })
  const version = await heads.compareAndSet(MAIN, undefined, encodeHead(head))
  await heads.compareAndSet(OTHER, undefined, encodeHead(plainHead({ owner: 'somebody' })))
  const committer = new Committer(heads, MAIN, version, head)
  const files = new Map([MAIN, OTHER].map(fileOf).map((file) => [file.ref.name, file]))
  const place = { heads, files: new MemoryFileStore({ hash }) }
  const origin: Origin = { shard: MAIN, place, head, manifest: { ...EMPTY_MANIFEST, files } }
  const pinned = async (): Promise<readonly number[]> =>
    Promise.all(
      [MAIN, OTHER].map(async (shard) => {
        const { content = new Uint8Array(0) } = (await heads.read(shard)) ?? {}
        return decodeHead(content, 'head').pins.length
      }),
    )
  return { heads, committer, origin, pinned }
}

test('a clone is there once its origin has pinned what it sees, also where only the answer to that was lost', async () => {
  for (const lost of [false, true]) {
    const { heads, committer, origin, pinned } = await start()
    if (lost) {
      heads.decided = async (make) => {
        await make()
        throw new VarveError('IO_FAILED', 'as the test wants it')
      }
    }
    await writeClone(origin, committer, CLONE)
    assert.equal(await outcomeOf(heads, CLONE), 'committed')
    assert.deepEqual(await pinned(), [1, 1])
  }
})

test('a clone that the next owner of its origin has made void is none, and pins nothing', async () => {
  const { heads, committer, origin, pinned } = await start()
  heads.decided = async (make) => {
    await decide(heads, CLONE, 'void')
    return make()
  }
  await assert.rejects(writeClone(origin, committer, CLONE), (error) => isCode(error, 'FENCED'))
  assert.deepEqual(await pinned(), [0, 0])
})

test('a shard that is being replaced by others is not cloned', async () => {
  const { heads, committer, origin, pinned } = await start()
  heads.written = async () =>
    void (await committer.commit(() => ({ succession: { state: 'sealed', lead: OTHER, successors: [OTHER] } })))
  await assert.rejects(writeClone(origin, committer, CLONE), (error) => isCode(error, 'BUSY'))
  assert.equal(await outcomeOf(heads, CLONE), 'void')
  assert.equal((await pinned())[1], 0)
})

test('where nobody can say whether a clone was made, its outcome is unknown, and its pins stay', async () => {
  const { heads, committer, origin, pinned } = await start()
  heads.decided = () => {
    heads.away = true
    throw new VarveError('IO_FAILED', 'as the test wants it')
  }
  await assert.rejects(writeClone(origin, committer, CLONE), (error) => isCode(error, 'OUTCOME_UNKNOWN'))
  heads.away = false
  assert.deepEqual(await pinned(), [1, 1])
})

test('the head of a clone is never there without pins on all that it refers to, whoever has dropped one meanwhile', async () => {
  const { heads, committer, origin, pinned } = await start()
  let seen: readonly number[] = []
  heads.written = async () => {
    seen = await pinned()
    // The next owner of the other one, to whom it was a pin without a head.
    await changePin(heads, OTHER, clonePin(CLONE), withoutFiles)
  }
  await writeClone(origin, committer, CLONE)
  assert.deepEqual(seen, [1, 1], 'when it was written')
  assert.deepEqual(await pinned(), [1, 1], 'when it was decided on')
})

test('a clone that the next owner has made under the same name is not taken for ours, and keeps its pins', async () => {
  const { heads, committer, origin, pinned } = await start()
  heads.written = async () => {
    await decide(heads, CLONE, 'commit')
    const head = await heads.read(MAIN)
    assert.ok(head !== undefined)
    const content = { ...decodeHead(head.content, 'head'), epoch: epoch(1), owner: 'the next' }
    await heads.compareAndSet(MAIN, head.version, encodeHead(content))
  }
  await assert.rejects(writeClone(origin, committer, CLONE), (error) => isCode(error, 'FENCED'))
  assert.equal(await outcomeOf(heads, CLONE), 'committed')
  assert.deepEqual(await pinned(), [1, 1])
})

test('where the heads are away before anything is decided, no clone was made, and that is what failed', async () => {
  const { heads, committer, origin } = await start()
  heads.written = () => {
    heads.away = true
    return Promise.resolve()
  }
  await assert.rejects(writeClone(origin, committer, CLONE), (error) => isCode(error, 'IO_FAILED'))
})
