/**
 * The manifest: from a head's base, deltas and edits to the state they add up to, and back into few bytes.
 *
 * A commit rewrites the head, so the head stays small: edits are kept inline up to INLINE_BYTES_MAX, then spill into a
 * delta file; when deltas outweigh the base, everything is written as a new base. A commit thus costs what its edit
 * costs, amortised, not what the shard holds.
 *
 *      manifest file   magic 'VRVM', format version u8, then edits, each a byte string with its length
 *
 * Spec: docs/formats/head.md.
 */

import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import { KIB, LIMITS } from '../kernel/limits.ts'
import type { FileStore } from '../fs/fs.ts'
import { applyEdit, decodeEdit, encodeEdit, snapshotEdit, EMPTY_MANIFEST } from './edit.ts'
import type { Edit, ManifestState } from './edit.ts'
import { failHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'

const MAGIC = 0x4d56_5256 // 'VRVM' read as a little-endian u32
export const MANIFEST_FORMAT_VERSION = 1

// Larger: fewer small files, but every commit writes them again. A head of 16 KiB is four pages.
const INLINE_BYTES_MAX = 16 * KIB
// Below this a base is rewritten rather than given deltas.
const BASE_BYTES_MIN = 64 * KIB

/** The part of a head that holds edits. */
export type EditLog = Pick<HeadContent, 'base' | 'deltas' | 'edits'>

export const EMPTY_EDIT_LOG: EditLog = Object.freeze({ base: undefined, deltas: [], edits: [] })

/** The files of `log`. */
export function manifestFiles(log: EditLog): readonly FileRef[] {
  return log.base === undefined ? log.deltas : [log.base, ...log.deltas]
}

/** @throws {VarveError} FILE_MISSING, HEAD_CORRUPT, INCOMPATIBLE */
export async function loadManifest(log: EditLog, files: FileStore, hash: Hash, source: string): Promise<ManifestState> {
  let state = EMPTY_MANIFEST
  for (const ref of manifestFiles(log)) {
    for (const edit of await readManifestFile(ref, files, hash)) state = applyEdit(state, edit)
  }
  for (const bytes of log.edits)
    state = applyEdit(
      state,
      decodeEdit(bytes, (reason, at) => failHead(source, reason, at)),
    )
  return state
}

/** What the edits since the last base have removed, whether it has come back or not. Throws as `loadManifest`. */
export async function removedFiles(
  log: EditLog,
  files: FileStore,
  hash: Hash,
  source: string,
): Promise<ReadonlySet<FileName>> {
  const edits: Edit[] = []
  for (const ref of log.deltas) edits.push(...(await readManifestFile(ref, files, hash)))
  for (const bytes of log.edits) edits.push(decodeEdit(bytes, (reason, at) => failHead(source, reason, at)))
  return new Set(edits.flatMap(({ removed }) => removed))
}

/**
 * Adds `edit` to `log`, spilling where it has grown too long.
 *
 * @param state the state with `edit` applied
 * @param nextName names a new manifest file
 */
export async function extendLog(
  log: EditLog,
  edit: Edit,
  state: ManifestState,
  files: FileStore,
  nextName: () => FileName,
): Promise<EditLog> {
  const edits = [...log.edits, encodeEdit(edit)]
  const inlineBytes = edits.reduce((sum, bytes) => sum + bytes.length, 0)
  if (inlineBytes <= INLINE_BYTES_MAX) return { ...log, edits }
  const deltaBytes = log.deltas.reduce((sum, ref) => sum + ref.bytes, 0)
  if (inlineBytes + deltaBytes >= Math.max(log.base?.bytes ?? 0, BASE_BYTES_MIN)) {
    const base = await writeManifestFile([encodeEdit(snapshotEdit(state))], files, nextName())
    return { base, deltas: [], edits: [] }
  }
  const delta = await writeManifestFile(edits, files, nextName())
  return { base: log.base, deltas: [...log.deltas, delta], edits: [] }
}

async function writeManifestFile(edits: readonly Uint8Array[], files: FileStore, name: FileName): Promise<FileRef> {
  const encoder = new Encoder(INLINE_BYTES_MAX * 2)
  encoder.u32(MAGIC).u8(MANIFEST_FORMAT_VERSION)
  for (const edit of edits) encoder.bytes(edit)
  const writer = await files.create(name, { expectedBytes: encoder.length })
  try {
    await writer.write(encoder.view())
    return await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** The edits of one manifest file, oldest first. @throws {VarveError} FILE_MISSING, HEAD_CORRUPT, INCOMPATIBLE */
export async function readManifestFile(ref: FileRef, files: FileStore, hash: Hash): Promise<readonly Edit[]> {
  if (ref.bytes > LIMITS.manifestBytesMax) failHead(ref.name, 'longer than any manifest', 0)
  const reader = await files.open(ref, { intent: 'stream' })
  let bytes: Uint8Array
  try {
    bytes = await reader.read(0, ref.bytes)
  } finally {
    await reader.close()
  }
  if (formatHash64(hash.hash64(bytes, 0n)) !== ref.checksum)
    failHead(ref.name, 'checksum does not match the reference', 0)
  const decoder = new Decoder(bytes, (reason, at) => failHead(ref.name, reason, at))
  if (decoder.u32() !== MAGIC) failHead(ref.name, 'not a manifest file', 0)
  const version = decoder.u8()
  if (version !== MANIFEST_FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${ref.name} has manifest format ${version}, this version of varve reads ${MANIFEST_FORMAT_VERSION}`,
      { details: { what: 'manifest format', found: version, expected: MANIFEST_FORMAT_VERSION } },
    )
  }
  const edits: Edit[] = []
  while (decoder.remaining > 0) {
    const start = decoder.at
    edits.push(decodeEdit(decoder.bytes(), (reason, at) => failHead(ref.name, reason, start + at)))
  }
  return edits
}
