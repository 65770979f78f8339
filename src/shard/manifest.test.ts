import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName, journalPosition, seqno } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { encodeEdit } from './edit.ts'
import { EMPTY_EDIT_LOG, loadManifest, readManifestFile } from './manifest.ts'

const hash = await loadHash()
const MAGIC = 0x4d56_5256
const edit = { removed: [], added: [], replayFrom: journalPosition(7), seqnoLast: seqno(9) }
const later = { ...edit, removed: [fileName('a')], replayFrom: journalPosition(8) }

/** A store with a manifest file of these bytes, whose reference has its checksum. */
async function storeOf(content: Encoder): Promise<{ readonly files: MemoryFileStore; readonly ref: FileRef }> {
  const files = new MemoryFileStore({ hash })
  const writer = await files.create(fileName('main.e1-m1.manifest'))
  await writer.write(content.view())
  return { files, ref: await writer.finish() }
}

async function readOf(content: Encoder) {
  const { files, ref } = await storeOf(content)
  return readManifestFile(ref, files, hash)
}

test('edits are read in their order, from files before those of the head, and the last one says where replay begins', async () => {
  const content = new Encoder().u32(MAGIC).u8(1).bytes(encodeEdit(edit)).bytes(encodeEdit(later))
  assert.deepEqual(await readOf(content), [edit, later])
  assert.deepEqual(await readOf(new Encoder().u32(MAGIC).u8(1)), [], 'without edits')
  const { files, ref } = await storeOf(new Encoder().u32(MAGIC).u8(1).bytes(encodeEdit(later)))
  const log = { base: ref, deltas: [], edits: [encodeEdit(edit)] }
  assert.equal((await loadManifest(log, files, hash, 'head')).replayFrom, 7)
  assert.equal((await loadManifest({ ...log, edits: [] }, files, hash, 'head')).replayFrom, 8)
})

test('a manifest file that is another one, no manifest, or holds what is no edit is damage, and is named', async () => {
  const damaged = (reason: RegExp) => ({ code: 'HEAD_CORRUPT', message: new RegExp(`e1-m1.*${reason.source}`) })
  const whole = new Encoder().u32(MAGIC).u8(1).bytes(encodeEdit(edit))
  const { files, ref } = await storeOf(whole)
  const another = { ...ref, checksum: '0000000000000000' }
  await assert.rejects(readManifestFile(another, files, hash), damaged(/checksum does not match the reference/))
  await assert.rejects(readOf(new Encoder().u32(MAGIC + 1).u8(1)), damaged(/not a manifest file/))
  await assert.rejects(readOf(new Encoder().u8(1)), damaged(/ends early/))
  await assert.rejects(readOf(new Encoder().raw(whole.view()).u8(9)), damaged(/count beyond the end/))
  // Of what is within an edit the offset is that in the file.
  const short = new Encoder().u32(MAGIC).u8(1).bytes(encodeEdit(edit).subarray(0, 2))
  await assert.rejects(readOf(short), damaged(/byte 7: bad varint/))
})

test('a manifest file of another format is incompatible, and an edit of the head that is none names the head', async () => {
  const newer = new Encoder().u32(MAGIC).u8(2)
  await assert.rejects(readOf(newer), { code: 'INCOMPATIBLE', message: /manifest format 2/ })
  const log = { ...EMPTY_EDIT_LOG, edits: [encodeEdit(edit), Uint8Array.of(0, 0, 1)] }
  const { files } = await storeOf(newer)
  const damaged = { code: 'HEAD_CORRUPT', message: /head of main is damaged at byte 3: bad varint/ }
  await assert.rejects(loadManifest(log, files, hash, 'head of main'), damaged)
})
