import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { EPOCH_ZERO, fileName, POSITION_ZERO, seqno, shardId } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { Committer } from './committer.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import type { Edit } from './edit.ts'
import { encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import { EMPTY_EDIT_LOG, loadManifest } from './manifest.ts'
import { ManifestLog } from './manifest-log.ts'

const shard = shardId('main')

function adding(name: string): Edit {
  const added = {
    ref: { name: fileName(name), bytes: 1, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group: 0,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(1),
    meta: new Uint8Array(0),
    view: new Uint8Array(0),
  }
  return { removed: [], added: [added], replayFrom: POSITION_ZERO, seqnoLast: seqno(1) }
}

function removing(name: string): Edit {
  return { removed: [fileName(name)], added: [], replayFrom: POSITION_ZERO, seqnoLast: seqno(1) }
}

test('commits asked for at once build on each other, in memory and in the head', async () => {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash })
  const heads = new MemoryHeadStore()
  const content: HeadContent = {
    epoch: EPOCH_ZERO,
    owner: 'us',
    commit: 1,
    journal: { name: 'local', version: 1 },
    engine: { name: 'kv', version: 1 },
    identity: {},
    journalState: undefined,
    ...EMPTY_EDIT_LOG,
    pins: [],
  }
  const version = await heads.compareAndSet(shard, undefined, encodeHead(content))
  const committer = new Committer(heads, shard, version, content)
  const log = new ManifestLog(shard, files, committer, EMPTY_MANIFEST)
  await log.commit(() => adding('a'))
  // A compaction that leaves nothing, and a flush.
  const [superseded] = await Promise.all([log.commit(() => removing('a')), log.commit(() => adding('b'))])
  assert.deepEqual(
    superseded.files.map(({ ref }) => ref.name),
    ['a'],
  )
  assert.deepEqual([...log.state.files.keys()], ['b'])
  const stored = await loadManifest(committer.content, files, hash, 'head')
  assert.deepEqual([...stored.files.keys()], ['b'])
})
