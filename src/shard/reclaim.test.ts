/** What a shard that others have replaced keeps: for whom, and how much of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName, seqno, shardId } from '../kernel/ids.ts'
import { plainHead } from '../../test/plain-head.ts'
import { EMPTY_MANIFEST, snapshotEdit } from './edit.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent, Succession } from './head-content.ts'
import { EMPTY_EDIT_LOG, extendLog } from './manifest.ts'
import { reclaimSuperseded } from './reclaim.ts'

const hash = await loadHash()
const MAIN = shardId('main')
const nameOf = (letter: string): ReturnType<typeof fileName> => fileName(`main.e1-${letter}.table`)

const sealed = (lead: string): Succession => ({
  state: 'sealed',
  lead: shardId(lead),
  successors: [shardId(lead)],
})

/** A head whose manifest has the files of these letters. */
async function headWith(letters: string, changes: Partial<HeadContent>): Promise<Uint8Array> {
  const none = new Uint8Array(0)
  const listed = letters.split('').map((letter) => {
    const ref = { name: nameOf(letter), bytes: 1, checksum: '00ff00ff00ff00ff' }
    const range = { seqnoFirst: seqno(1), seqnoLast: seqno(2) }
    return { ref, format: { name: 'row', version: 1 }, group: 0, ...range, meta: none, view: none }
  })
  const state = { ...EMPTY_MANIFEST, seqnoLast: seqno(2), files: new Map(listed.map((file) => [file.ref.name, file])) }
  const log = await extendLog(EMPTY_EDIT_LOG, snapshotEdit(state), state, new MemoryFileStore({ hash }), () =>
    fileName('main.unused'),
  )
  return encodeHead(plainHead({ ...log, ...changes }))
}

test('of a shard that was replaced, what followers, open changes and those it was cloned to need stays, and nothing else', async () => {
  const [heads, files] = [new MemoryHeadStore(), new MemoryFileStore({ hash })]
  for (const letter of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    const writer = await files.create(nameOf(letter))
    await writer.write(new Uint8Array(1))
    await writer.finish()
  }
  const foreign = fileName('other.e1-a.table')
  const pins = [
    // It was sealed for a change that was given up: it goes on, and may still read what it has dropped.
    { name: 'clone:goes-on', files: [nameOf('a')] },
    // Others have its place: it needs what it had at its end.
    { name: 'clone:replaced', files: [nameOf('b'), nameOf('c')] },
    { name: 'follower:main:f', files: [nameOf('d'), foreign] },
    { name: 'clone:absent', files: [nameOf('e')] },
    { name: 'clone:lives', files: [nameOf('f')] },
  ]
  const contents: readonly (readonly [string, Uint8Array])[] = [
    ['main', await headWith('abcdefg', { pins, succession: sealed('heir') })],
    ['heir', await headWith('', {})],
    ['goes-on', await headWith('', { succession: sealed('never') })],
    ['replaced', await headWith('b', { succession: sealed('heir') })],
    ['lives', await headWith('', {})],
  ]
  for (const [shard, content] of contents) await heads.compareAndSet(shardId(shard), undefined, content)

  assert.deepEqual(await reclaimSuperseded({ heads, files }, hash, MAIN), { removed: 3, kept: 4 })
  const left = (await files.list()).map(({ name }) => name).sort()
  assert.deepEqual(left, ['a', 'b', 'd', 'f'].map(nameOf))
  const { content = new Uint8Array(0) } = (await heads.read(MAIN)) ?? {}
  const kept = Object.fromEntries(decodeHead(content, 'head').pins.map((pin) => [pin.name, pin.files]))
  assert.deepEqual(kept, {
    'clone:goes-on': [nameOf('a')],
    'clone:replaced': [nameOf('b')],
    'follower:main:f': [nameOf('d'), foreign],
    'clone:lives': [nameOf('f')],
  })
})
