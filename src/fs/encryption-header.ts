/**
 * What stands before everything encrypted: which key, and the salt of this object.
 *
 *      0            8         10     11       12        44     48       80          88         96
 *      +------------+---------+------+--------+---------+------+--------+-----------+----------+
 *      | 'varveenc' | version | kind | id     | key id  | zero | salt   | key check | checksum |
 *      |            | u16     | u8   | length | 32      | u32  | 32     | 8         | u64      |
 *      +------------+---------+------+--------+---------+------+--------+-----------+----------+
 *
 * `checksum` is XXH64 of the 88 bytes before it, seeded with XXH64 of the object's name: it finds damage and mistaken
 * names before a key is looked for. Whoever forges it still needs the secret for the rest.
 *
 * Spec: docs/formats/encrypted-file.md.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Random } from '../kernel/random.ts'
import { ChunkCipher, KEY_CHECK_BYTES, SALT_BYTES, isKeyCheck, keyCheck } from './aes-gcm.ts'
import { ENCRYPTION_MAGIC, isEncrypted } from './encryption-magic.ts'
import { KEY_ID_BYTES_MAX, wrongKey } from './key-ring.ts'
import type { KeyRing } from './key-ring.ts'

export const HEADER_BYTES = 96
const FORMAT_VERSION = 1
const VERSION_AT = 8
const KIND_AT = 10
const ID_LENGTH_AT = 11
const ID_AT = 12
const SALT_AT = 48
const KEY_CHECK_AT = 80
const CHECKSUM_AT = 88

/** What is encrypted: part of the key's derivation, so that a file is never taken for a head. */
export type EncryptedKind = 'file' | 'head'
const KINDS: readonly EncryptedKind[] = ['file', 'head']

/** A new object: its header, and the cipher for its chunks. */
export function newHeader(
  kind: EncryptedKind,
  name: string,
  keys: KeyRing,
  random: Random,
  hash: Hash,
): { readonly header: Uint8Array; readonly cipher: ChunkCipher } {
  const header = new Uint8Array(HEADER_BYTES)
  const view = new DataView(header.buffer)
  const id = new TextEncoder().encode(keys.writeId)
  header.set(ENCRYPTION_MAGIC)
  view.setUint16(VERSION_AT, FORMAT_VERSION, true)
  header[KIND_AT] = KINDS.indexOf(kind) + 1
  header[ID_LENGTH_AT] = id.length
  header.set(id, ID_AT)
  for (let at = 0; at < SALT_BYTES; at += 4) view.setUint32(SALT_AT + at, random.u32(), true)
  const salt = header.subarray(SALT_AT, SALT_AT + SALT_BYTES)
  const secret = keys.secret(keys.writeId, name)
  header.set(keyCheck(secret, salt), KEY_CHECK_AT)
  view.setBigUint64(CHECKSUM_AT, checksumOf(header, name, hash), true)
  return { header, cipher: new ChunkCipher(secret, salt, contextOf(kind, name)) }
}

/**
 * The identifier of the key.
 *
 * @param corrupt makes the error for damage
 * @throws {VarveError} what `corrupt` makes; INCOMPATIBLE — a newer format
 */
export function keyIdOf(
  header: Uint8Array,
  kind: EncryptedKind,
  name: string,
  hash: Hash,
  corrupt: (reason: string) => VarveError,
): string {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  if (!isEncrypted(header)) throw corrupt('it does not begin as an encrypted file does')
  if (header.length < HEADER_BYTES) throw corrupt('it ends within its header')
  if (view.getBigUint64(CHECKSUM_AT, true) !== checksumOf(header, name, hash))
    throw corrupt('its header is damaged, or that of another name')
  const version = view.getUint16(VERSION_AT, true)
  if (version !== FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${name} has encryption format ${version}, this varve knows ${FORMAT_VERSION}`,
      {
        details: { what: 'encryption format', found: version, expected: FORMAT_VERSION },
      },
    )
  }
  if (header[KIND_AT] !== KINDS.indexOf(kind) + 1) throw corrupt(`it is not an encrypted ${kind}`)
  const length = view.getUint8(ID_LENGTH_AT)
  if (length < 1 || length > KEY_ID_BYTES_MAX) throw corrupt('its key identifier has an impossible length')
  return new TextDecoder().decode(header.subarray(ID_AT, ID_AT + length))
}

/**
 * The cipher for the chunks of a stored object.
 *
 * @throws {VarveError} WRONG_KEY — the key was not given, or another under its identifier; and what `keyIdOf` throws
 */
export function openHeader(
  header: Uint8Array,
  kind: EncryptedKind,
  name: string,
  keys: KeyRing,
  hash: Hash,
  corrupt: (reason: string) => VarveError,
): ChunkCipher {
  const id = keyIdOf(header, kind, name, hash, corrupt)
  const secret = keys.secret(id, name)
  const salt = header.subarray(SALT_AT, SALT_AT + SALT_BYTES)
  if (!isKeyCheck(secret, salt, header.subarray(KEY_CHECK_AT, KEY_CHECK_AT + KEY_CHECK_BYTES)))
    throw wrongKey(name, id, `is encrypted with another key than the one given as ${id}`)
  return new ChunkCipher(secret, salt, contextOf(kind, name))
}

function contextOf(kind: EncryptedKind, name: string): string {
  return `varve ${kind} 1 ${name}`
}

function checksumOf(header: Uint8Array, name: string, hash: Hash): bigint {
  const seed = hash.hash64(new TextEncoder().encode(name), 0n)
  return hash.hash64(header.subarray(0, CHECKSUM_AT), seed)
}
