/**
 * The head of a shard: the one mutable object, and what it says.
 *
 *      head   format version   u8
 *             epoch, owner     varint, text: who may commit
 *             commit           varint: counts commits; tells an owner whether its own unanswered commit succeeded
 *             journal, engine  name and version each; the engine's identity as pairs of texts
 *             journal state    flag, bytes: opaque to the shard
 *             base             flag, reference of a manifest file
 *             deltas           references of manifest files, oldest first
 *             edits            byte strings, oldest first, newer than every delta
 *             pins             what others hold: a name, and the names of files that must stay
 *             succession       format version 2 only: of a shard that replaces others, or is replaced
 *
 * The head store guards these bytes with a checksum; manifest files are guarded by the one in their reference.
 *
 * Spec: docs/formats/head.md.
 */

import { copyOf } from '../kernel/bytes.ts'
import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import { epoch, fileName, shardId } from '../kernel/ids.ts'
import type { Epoch, FileName, ShardId } from '../kernel/ids.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { isEncrypted } from '../fs/encryption-magic.ts'
import type { FormatReference } from '../jobs/jobs.ts'
import { decodeRef, encodeRef } from './edit.ts'

/** Of a head without a succession; with one it is the next. */
export const HEAD_FORMAT_VERSION = 1
const SUCCESSION_FORMAT_VERSION = 2

/** A head, decoded. */
export interface HeadContent {
  /** Of the owner: a commit with a lower one is refused. */
  readonly epoch: Epoch
  /** Nonce of the owner. */
  readonly owner: string
  /** Counts commits. */
  readonly commit: number
  /** The journal that has what is not in files: the shard opens with no other. */
  readonly journal: FormatReference
  /** The engine that wrote it: the shard opens with no other. */
  readonly engine: FormatReference
  /** What else has to be the same, as the engine has it, such as the key order. */
  readonly identity: Readonly<Record<string, string>>
  /** The journal's own; undefined: it keeps none here. */
  readonly journalState: Uint8Array | undefined
  /** Manifest file from which the state adds up; undefined: from nothing. */
  readonly base: FileRef | undefined
  /** Manifest files, oldest first. */
  readonly deltas: readonly FileRef[]
  /** Encoded edits, oldest first, newer than every delta. */
  readonly edits: readonly Uint8Array[]
  /** What others hold. */
  readonly pins: readonly Pin[]
  /** undefined: a shard like any other. */
  readonly succession?: Succession | undefined
}

/**
 * The part of a shard in a change of arrangement, in which some shards take the place of others: see succession.ts.
 *
 * - `forming`: one of those that will be, once `lead`, perhaps itself, is not forming any more
 * - `sealed`: one of those that were, unless `lead` turns out void
 * - `void`: the one that led a change that was given up; a shard of this name will never be
 */
export type Succession =
  | { readonly state: 'forming'; readonly lead: ShardId; readonly parents: readonly ShardId[] }
  | { readonly state: 'sealed'; readonly lead: ShardId; readonly successors: readonly ShardId[] }
  | { readonly state: 'void' }

const SUCCESSION_STATES = ['forming', 'sealed', 'void'] as const

/** Files that somebody other than the owner still needs. Only who set a pin removes it. */
export interface Pin {
  /** Who set it has no other of that name. */
  readonly name: string
  /** The owner removes none of them. */
  readonly files: readonly FileName[]
}

export function encodeHead(head: HeadContent): Uint8Array {
  const encoder = new Encoder(1024)
  const { succession } = head
  encoder
    .u8(succession === undefined ? HEAD_FORMAT_VERSION : SUCCESSION_FORMAT_VERSION)
    .varint(head.epoch)
    .text(head.owner)
    .varint(head.commit)
  encoder.text(head.journal.name).varint(head.journal.version)
  encoder.text(head.engine.name).varint(head.engine.version)
  const identity = Object.entries(head.identity)
  encoder.varint(identity.length)
  for (const [name, value] of identity) encoder.text(name).text(value)
  if (head.journalState === undefined) encoder.u8(0)
  else encoder.u8(1).bytes(head.journalState)
  if (head.base === undefined) encoder.u8(0)
  else encodeRef(encoder.u8(1), head.base)
  encoder.varint(head.deltas.length)
  for (const ref of head.deltas) encodeRef(encoder, ref)
  encoder.varint(head.edits.length)
  for (const edit of head.edits) encoder.bytes(edit)
  encoder.varint(head.pins.length)
  for (const pin of head.pins) {
    encoder.text(pin.name).varint(pin.files.length)
    for (const name of pin.files) encoder.text(name)
  }
  if (succession !== undefined) encodeSuccession(encoder, succession)
  return encoder.finish()
}

function encodeSuccession(encoder: Encoder, succession: Succession): void {
  encoder.u8(SUCCESSION_STATES.indexOf(succession.state))
  if (succession.state === 'void') return
  const others = succession.state === 'forming' ? succession.parents : succession.successors
  encoder.text(succession.lead).varint(others.length)
  for (const shard of others) encoder.text(shard)
}

function decodeSuccession(decoder: Decoder): Succession {
  const state = SUCCESSION_STATES[decoder.u8()] ?? decoder.fail('unknown state of a succession')
  if (state === 'void') return { state }
  const lead = decoder.parsed(shardId)
  const others: ShardId[] = []
  for (let left = decoder.count(); left > 0; left--) others.push(decoder.parsed(shardId))
  return state === 'forming' ? { state, lead, parents: others } : { state, lead, successors: others }
}

/**
 * @param source names the head in errors
 * @throws {VarveError} INCOMPATIBLE — written by a newer version, or encrypted; HEAD_CORRUPT
 */
export function decodeHead(bytes: Uint8Array, source: string): HeadContent {
  if (isEncrypted(bytes)) {
    throw new VarveError('INCOMPATIBLE', `${source} is encrypted, and no keys were given; nothing was changed`, {
      details: { what: 'encryption', found: 'encrypted', expected: 'not encrypted' },
    })
  }
  const decoder = new Decoder(bytes, (reason, at) => failHead(source, reason, at))
  const version = decoder.u8()
  if (version !== HEAD_FORMAT_VERSION && version !== SUCCESSION_FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${source} has head format ${version}, this version of varve reads ${HEAD_FORMAT_VERSION} and ${SUCCESSION_FORMAT_VERSION}; nothing was changed`,
      { details: { what: 'head format', found: version, expected: SUCCESSION_FORMAT_VERSION } },
    )
  }
  const ownEpoch = epoch(decoder.varint())
  const owner = decoder.text()
  const commit = decoder.varint()
  const journal = { name: decoder.text(), version: decoder.varint() }
  const engine = { name: decoder.text(), version: decoder.varint() }
  const identity = new Map<string, string>()
  for (let left = decoder.count(2); left > 0; left--) identity.set(decoder.text(), decoder.text())
  const journalState = decoder.u8() === 0 ? undefined : copyOf(decoder.bytes())
  const base = decoder.u8() === 0 ? undefined : decodeRef(decoder)
  const deltas: FileRef[] = []
  for (let left = decoder.count(); left > 0; left--) deltas.push(decodeRef(decoder))
  const edits: Uint8Array[] = []
  for (let left = decoder.count(); left > 0; left--) edits.push(copyOf(decoder.bytes()))
  const pins: Pin[] = []
  for (let left = decoder.count(2); left > 0; left--) {
    const name = decoder.text()
    const files: FileName[] = []
    for (let filesLeft = decoder.count(); filesLeft > 0; filesLeft--) files.push(decoder.parsed(fileName))
    pins.push({ name, files })
  }
  const succession = version === SUCCESSION_FORMAT_VERSION ? decodeSuccession(decoder) : undefined
  decoder.end()
  return {
    epoch: ownEpoch,
    owner,
    commit,
    journal,
    engine,
    identity: Object.fromEntries(identity),
    journalState,
    base,
    deltas,
    edits,
    pins,
    ...(succession === undefined ? {} : { succession }),
  }
}

export function failHead(source: string, reason: string, at: number): never {
  throw new VarveError('HEAD_CORRUPT', `${source} is damaged at byte ${at}: ${reason}`, {
    details: { file: source, offset: at, reason },
  })
}
