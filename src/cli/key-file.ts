/** The keys of an encrypted shard, from a file: a JSON list of `{ "id", "secret" }`. No error shows what is in it. */

import { KeyRing } from '../fs/key-ring.ts'
import type { EncryptionKey } from '../fs/key-ring.ts'
import { textOf } from './option-file.ts'
import { UsageError } from './usage-error.ts'

const SECRET = /^[A-Za-z0-9+/]{43}=$/

/** @throws {UsageError} a file that cannot be read, or is not such a list */
export async function readKeys(path: string, command: string): Promise<readonly EncryptionKey[]> {
  const keys = keysOf(await textOf(path, command))
  try {
    void new KeyRing(keys)
  } catch {
    throw new UsageError(`${path} must be a list of { id, secret }, each secret 32 bytes in base64`, command)
  }
  return keys
}

/** None where the text is anything else. */
function keysOf(text: string): readonly EncryptionKey[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(list) || !list.every(isKey)) return []
  return list.map(({ id, secret }) => ({ id, secret: new Uint8Array(Buffer.from(secret, 'base64')) }))
}

function isKey(value: unknown): value is { readonly id: string; readonly secret: string } {
  if (typeof value !== 'object' || value === null) return false
  const { id, secret } = value as { readonly id?: unknown; readonly secret?: unknown }
  return typeof id === 'string' && typeof secret === 'string' && SECRET.test(secret)
}
