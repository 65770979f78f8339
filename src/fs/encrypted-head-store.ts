/**
 * Heads encrypted at rest, over any head store. Heads name files and, in their newest edits, what is in them.
 *
 * A head is one chunk under a key of its own: see docs/formats/encrypted-file.md. Whoever may write to the store below can
 * still put an older head in place of the newest: freshness is what the store is trusted for.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { TAG_BYTES } from './aes-gcm.ts'
import type { EncryptionOptions } from './encrypted-file-store.ts'
import { HEADER_BYTES, newHeader, openHeader } from './encryption-header.ts'
import { isEncrypted } from './encryption-magic.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'
import type { KeyRing } from './key-ring.ts'

/** By how much the largest head is smaller than without encryption. */
const OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES

/** The largest head that fits below once it is encrypted, in bytes. */
export const ENCRYPTED_HEAD_BYTES_MAX = LIMITS.headBytesMax - OVERHEAD_BYTES

/** A head store over another, whose heads it encrypts. Versions are those of the store below. */
export class EncryptedHeadStore implements HeadStore {
  readonly name: string
  readonly #inner: HeadStore
  readonly #options: EncryptionOptions

  /** @param inner has the heads, encrypted */
  constructor(inner: HeadStore, options: EncryptionOptions) {
    this.name = `encrypted ${inner.name}`
    this.#inner = inner
    this.#options = options
  }

  /**
   * @throws {VarveError} WRONG_KEY; INCOMPATIBLE — the head is not encrypted
   * @throws {VarveError} HEAD_CORRUPT — it was changed, or is another shard's
   */
  async read(shard: ShardId, options?: AbortOptions): Promise<Head | undefined> {
    const head = await this.#inner.read(shard, options)
    const { keys, hash } = this.#options
    return head === undefined
      ? undefined
      : { version: head.version, content: openHead(shard, head.content, keys, hash) }
  }

  /** @param content at most ENCRYPTED_HEAD_BYTES_MAX */
  compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options?: AbortOptions,
  ): Promise<HeadVersion> {
    return this.#inner.compareAndSet(shard, expected, this.#seal(shard, content), options)
  }

  #seal(shard: ShardId, content: Uint8Array): Uint8Array {
    const { keys, random, hash } = this.#options
    const { header, cipher } = newHeader('head', shard, keys, random, hash)
    const sealed = new Uint8Array(OVERHEAD_BYTES + content.length)
    sealed.set(header)
    cipher.seal(0, true, content, sealed, HEADER_BYTES)
    return sealed
  }
}

/**
 * The content of a head as `EncryptedHeadStore` stores it.
 *
 * @throws {VarveError} WRONG_KEY; INCOMPATIBLE — it is not encrypted; HEAD_CORRUPT — it was changed, or is another shard's
 */
export function openHead(shard: ShardId, sealed: Uint8Array, keys: KeyRing, hash: Hash): Uint8Array {
  const name = `head of ${shard}`
  if (!isEncrypted(sealed)) {
    throw new VarveError('INCOMPATIBLE', `the ${name} is not encrypted; nothing was changed`, {
      details: { what: 'encryption', found: 'none', expected: 'AES-256-GCM' },
    })
  }
  const corrupt = (reason: string) => headCorrupt(name, reason)
  const cipher = openHeader(sealed.subarray(0, HEADER_BYTES), 'head', shard, keys, hash, corrupt)
  const content = cipher.open(0, true, sealed.subarray(HEADER_BYTES))
  if (content === undefined) throw corrupt('it was changed, or is of another shard')
  return new Uint8Array(content)
}

function headCorrupt(file: string, reason: string): VarveError {
  return new VarveError('HEAD_CORRUPT', `the ${file} is not what was written: ${reason}`, { details: { file } })
}
