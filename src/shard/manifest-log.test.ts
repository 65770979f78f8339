import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName, POSITION_ZERO, seqno, shardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { plainHead } from '../../test/plain-head.ts'
import { Committer } from './committer.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import type { Edit } from './edit.ts'
import { encodeHead } from './head-content.ts'
import { loadManifest, manifestFiles, readManifestFile } from './manifest.ts'
import { ManifestLog } from './manifest-log.ts'

const shard = shardId('main')

function adding(name: string): Edit {
  const added = {
    ref: { name: fileName(name), bytes: 1, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group: 0,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(1),
    // So that a few edits fill a head.
    meta: new Uint8Array(1000),
    view: new Uint8Array(0),
  }
  return { removed: [], added: [added], replayFrom: POSITION_ZERO, seqnoLast: seqno(1) }
}

function removing(name: string): Edit {
  return { removed: [fileName(name)], added: [], replayFrom: POSITION_ZERO, seqnoLast: seqno(1) }
}

async function bench() {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash })
  const heads = new MemoryHeadStore()
  const content = plainHead({ commit: 1 })
  const version = await heads.compareAndSet(shard, undefined, encodeHead(content))
  const committer = new Committer(heads, shard, version, content)
  const log = new ManifestLog(shard, files, committer, EMPTY_MANIFEST)
  return { hash, files, committer, log }
}

test('commits asked for at once build on each other, in memory and in the head', async () => {
  const { hash, files, committer, log } = await bench()
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

test('a manifest file is superseded when the head refers to it no more, and not before; the state is the same all along', async () => {
  const { hash, files, committer, log } = await bench()
  let [superseded, deltasMost, bases] = [0, 0, 0]
  for (let number = 0; number < 1500; number++) {
    const before = new Set(manifestFiles(committer.content).map(({ name }) => name))
    const { manifests } = await log.commit(() =>
      number % 3 === 2 ? removing(`file-${number - 2}`) : adding(`file-${number}`),
    )
    const after = new Set(manifestFiles(committer.content).map(({ name }) => name))
    assert.deepEqual(
      manifests,
      [...before].filter((name) => !after.has(name)),
    )
    await files.remove(manifests)
    superseded += manifests.length
    deltasMost = Math.max(deltasMost, committer.content.deltas.length)
    if (manifests.length > 0) bases++
    if (number % 100 === 99) {
      const stored = await loadManifest(committer.content, files, hash, 'head')
      assert.deepEqual([...stored.files.keys()].sort(), [...log.state.files.keys()].sort())
    }
  }
  assert.ok(superseded > bases && bases > 1 && deltasMost > 1, `${superseded}, ${bases}, ${deltasMost}`)
  assert.equal((await files.list()).length, manifestFiles(committer.content).length)
})

test('a manifest file that cannot be written leaves nothing, and one that is longer than any is damage', async () => {
  const { hash, files, committer, log } = await bench()
  const create = files.create.bind(files)
  let aborted = 0
  files.create = async (...call) => {
    const writer = await create(...call)
    const abort = writer.abort.bind(writer)
    writer.write = () => Promise.reject(new VarveError('NO_SPACE', 'full'))
    writer.abort = () => (aborted++, abort())
    return writer
  }
  let refused: unknown
  for (let number = 0; number < 400 && refused === undefined; number++)
    await log.commit(() => adding(`file-${number}`)).catch((error: unknown) => (refused = error))
  assert.ok(isCode(refused, 'NO_SPACE'))
  assert.equal(aborted, 1)
  assert.deepEqual(await files.list(), [])
  files.create = create
  await log.commit(() => adding('another'))
  const [ref] = manifestFiles(committer.content)
  assert.ok(ref !== undefined)
  const long = { ...ref, bytes: LIMITS.manifestBytesMax + 1 }
  await assert.rejects(readManifestFile(long, files, hash), /longer than any manifest/)
})
