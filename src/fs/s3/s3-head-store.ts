/**
 * Heads as objects of an S3-compatible store: one object a shard, replaced with `If-Match`.
 *
 * A version is the ETag of its object. That is a digest of the object's bytes in most stores, so every version has bytes
 * of its own in front of the content: the same content twice is two versions.
 */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { KIB, LIMITS } from '../../kernel/limits.ts'
import { nonce } from '../../kernel/random.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from '../fs.ts'
import { headConflict } from '../head-conflict.ts'
import { checkHeadSize } from '../head-size.ts'
import { answerCode, answerError } from './answer-error.ts'
import { conditionalPut, etagOf, writeConditionally } from './conditional-write.ts'
import type { EtagStyle, WriteCondition } from './conditional-write.ts'
import { decodeHeadObject, encodeHeadObject } from './head-object.ts'
import type { HttpResponse } from './http.ts'
import { headKey } from './object-keys.ts'
import { probeHeads } from './probe.ts'
import { describe } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'

/** What heads in a bucket are made of. */
export interface S3HeadStoreOptions {
  /** Stays the caller's. */
  readonly client: S3Client
  /** Checksums of heads. */
  readonly hash: Hash
}

/** Heads in a bucket. Nothing of it has to be closed. */
export class S3HeadStore implements HeadStore {
  readonly name = 's3'
  readonly #client: S3Client
  readonly #hash: Hash
  readonly #style: EtagStyle

  private constructor({ client, hash }: S3HeadStoreOptions, style: EtagStyle) {
    this.#client = client
    this.#hash = hash
    this.#style = style
  }

  /**
   * Makes sure that the store is one that heads can be kept in: it minds `If-None-Match` and `If-Match`, also when two
   * write at once; and learns how it wants ETags. Takes about twenty requests.
   *
   * @throws {VarveError} UNSUPPORTED — it is not; details: capability
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, NOT_FOUND (the bucket)
   */
  static async open(options: S3HeadStoreOptions): Promise<S3HeadStore> {
    return new S3HeadStore(options, await probeHeads(options.client))
  }

  async read(shard: ShardId, { signal }: AbortOptions = {}): Promise<Head | undefined> {
    throwIfAborted(signal)
    const key = headKey(shardId(shard))
    const answerBytesMax = LIMITS.headBytesMax + 64 * KIB
    const answer = await this.#client.request({ method: 'GET', key, answerBytesMax, signal }, [404])
    if (answer.status === 404) {
      if (isOfStore(answer)) return undefined
      throw answerError(describe({ method: 'GET', key }), this.#client.bucket, answer)
    }
    const etag = etagOf(answer)
    if (etag === undefined) {
      throw new VarveError('IO_FAILED', `${describe({ method: 'GET', key })} was answered without an ETag`, {
        details: { operation: 'read', path: key },
      })
    }
    return { version: etag as HeadVersion, content: decodeHeadObject(shard, answer.body, key, this.#hash) }
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    { signal }: AbortOptions = {},
  ): Promise<HeadVersion> {
    throwIfAborted(signal)
    checkHeadSize(content)
    const key = headKey(shardId(shard))
    const condition: WriteCondition =
      expected === undefined ? { type: 'absent' } : { type: 'unchanged', etag: expected, style: this.#style }
    const mark = nonce(this.#client.random)
    // A copy: it is sent again while its outcome is not known.
    const body = encodeHeadObject(shard, mark, content, this.#hash)
    const outcome = await writeConditionally(this.#client, conditionalPut(this.#client, { key, mark, condition }, body))
    if (outcome.type === 'done') return outcome.etag as HeadVersion
    if (outcome.type === 'refused') {
      throw new VarveError('IO_FAILED', `the store refuses to change the head of ${shard}, which is as expected`, {
        details: { operation: 'compareAndSet', path: key },
      })
    }
    const found = outcome.found?.etag
    throw headConflict(shard, expected, found)
  }
}

/** False where the bucket has gone, or the page is somebody's on the way: then nothing is said of the head. */
function isOfStore(answer: HttpResponse): boolean {
  const code = answerCode(answer)
  return code === undefined ? answer.body.length === 0 : code !== 'NoSuchBucket'
}
