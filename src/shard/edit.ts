/**
 * Edits: what one commit changes in a manifest, and the state that edits add up to.
 *
 *      edit   removed   count, then a name each
 *             added     count, then a file each; replaces a file of the same name
 *             replayFrom, seqnoLast   varints
 *
 *      file   name, bytes, checksum (u64), format name, format version, group, seqnoFirst, seqnoLast, meta, view
 *
 * Spec: docs/formats/head.md.
 */

import { copyOf } from '../kernel/bytes.ts'
import { Decoder, Encoder } from '../kernel/codec.ts'
import { formatHash64 } from '../kernel/hash.ts'
import { fileName, journalPosition, seqno, POSITION_ZERO, SEQNO_ZERO } from '../kernel/ids.ts'
import type { FileName, JournalPosition, Seqno } from '../kernel/ids.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { VersionFile } from './shard.ts'

export interface Edit {
  readonly removed: readonly FileName[]
  readonly added: readonly VersionFile[]
  /** Every operation before this position is in files. */
  readonly replayFrom: JournalPosition
  /** The highest seqno in files. */
  readonly seqnoLast: Seqno
}

/** What all edits together say. */
export interface ManifestState {
  /** The tables, by their names. */
  readonly files: ReadonlyMap<FileName, VersionFile>
  /** Every operation before this position is in files. */
  readonly replayFrom: JournalPosition
  /** The highest seqno in files. */
  readonly seqnoLast: Seqno
}

export const EMPTY_MANIFEST: ManifestState = Object.freeze({
  files: new Map<FileName, VersionFile>(),
  replayFrom: POSITION_ZERO,
  seqnoLast: SEQNO_ZERO,
})

export function applyEdit(state: ManifestState, edit: Edit): ManifestState {
  const files = new Map(state.files)
  for (const name of edit.removed) files.delete(name)
  for (const file of edit.added) files.set(file.ref.name, file)
  return Object.freeze({ files, replayFrom: edit.replayFrom, seqnoLast: edit.seqnoLast })
}

/** The one edit that makes `state` from nothing. */
export function snapshotEdit(state: ManifestState): Edit {
  return { removed: [], added: [...state.files.values()], replayFrom: state.replayFrom, seqnoLast: state.seqnoLast }
}

export function encodeEdit(edit: Edit): Uint8Array {
  const encoder = new Encoder(64 + 160 * edit.added.length)
  encoder.varint(edit.removed.length)
  for (const name of edit.removed) encoder.text(name)
  encoder.varint(edit.added.length)
  for (const file of edit.added) encodeFile(encoder, file)
  encoder.varint(edit.replayFrom).varint(edit.seqnoLast)
  return encoder.finish()
}

/** @param fail throws the error that names where the edit came from */
export function decodeEdit(bytes: Uint8Array, fail: (reason: string, at: number) => never): Edit {
  const decoder = new Decoder(bytes, fail)
  const removed: FileName[] = []
  for (let left = decoder.count(); left > 0; left--) removed.push(decoder.parsed(fileName))
  const added: VersionFile[] = []
  for (let left = decoder.count(); left > 0; left--) added.push(decodeFile(decoder))
  const edit = { removed, added, replayFrom: journalPosition(decoder.varint()), seqnoLast: seqno(decoder.varint()) }
  decoder.end()
  return edit
}

export function encodeRef(encoder: Encoder, ref: FileRef): void {
  encoder
    .text(ref.name)
    .varint(ref.bytes)
    .u64(BigInt(`0x${ref.checksum}`))
}

export function decodeRef(decoder: Decoder): FileRef {
  return { name: decoder.parsed(fileName), bytes: decoder.varint(), checksum: formatHash64(decoder.u64()) }
}

function encodeFile(encoder: Encoder, file: VersionFile): void {
  encodeRef(encoder, file.ref)
  encoder.text(file.format.name).varint(file.format.version).varint(file.group)
  encoder.varint(file.seqnoFirst).varint(file.seqnoLast).bytes(file.meta).bytes(file.view)
}

function decodeFile(decoder: Decoder): VersionFile {
  return {
    ref: decodeRef(decoder),
    format: { name: decoder.text(), version: decoder.varint() },
    group: decoder.varint(),
    seqnoFirst: seqno(decoder.varint()),
    seqnoLast: seqno(decoder.varint()),
    // Copies: a view would keep the whole head alive.
    meta: copyOf(decoder.bytes()),
    view: copyOf(decoder.bytes()),
  }
}
