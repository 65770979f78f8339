/**
 * A file being written to an S3-compatible store: nothing shows before `finish()`.
 *
 * Up to one part it is collected and becomes one request, with the condition that the name is free; beyond that it is
 * uploaded in parts while it is being written.
 */

import { createHash } from 'node:crypto'
import type { Hash as DigestStream } from 'node:crypto'
import { assert } from '../../kernel/assert.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { Hash, HashStream } from '../../kernel/hash.ts'
import type { FileName } from '../../kernel/ids.ts'
import { KIB } from '../../kernel/limits.ts'
import { nonce } from '../../kernel/random.ts'
import type { FileWriter } from '../fs.ts'
import { nameTaken } from '../name-taken.ts'
import type { PendingBytes } from '../pending-bytes.ts'
import { conditionalPut, writeConditionally } from './conditional-write.ts'
import type { WriteOutcome } from './conditional-write.ts'
import { MultipartUpload } from './multipart-upload.ts'
import { claimKey, fileKey } from './object-keys.ts'
import type { S3Client } from './s3-client.ts'

export interface S3WriterBasis {
  readonly client: S3Client
  readonly hash: Hash
  readonly pending: PendingBytes
  /** Whether another file of this store has the name: its removal waits for readers. */
  readonly isTaken: (name: FileName) => boolean
  /** It needs no end any more. */
  readonly done: () => void
}

const PART_BYTES_FIRST = 64 * KIB

export class S3FileWriter implements FileWriter {
  readonly name: FileName
  readonly #basis: S3WriterBasis
  readonly #stream: HashStream
  readonly #mark: string
  #bytes = 0
  /** Of the part that is being collected, in memory that grows up to `partBytes`. */
  #part: Uint8Array
  #partBytes = 0
  #digest: DigestStream = createHash('sha256')
  #upload: MultipartUpload | undefined
  #partCount = 0
  readonly #underWay = new Set<Promise<void>>()
  /** Why a part is missing. */
  #failure: { readonly error: unknown } | undefined
  #writing = false
  #state: 'open' | 'finishing' | 'finished' | 'failed' | 'unknown' | 'aborted' = 'open'
  #finishing: Promise<FileRef> | undefined
  #aborting: Promise<void> | undefined

  constructor(name: FileName, basis: S3WriterBasis, expectedBytes: number = PART_BYTES_FIRST) {
    this.name = name
    this.#basis = basis
    this.#stream = basis.hash.stream64(0n)
    this.#mark = nonce(basis.client.random)
    this.#part = new Uint8Array(Math.min(Math.max(expectedBytes, PART_BYTES_FIRST), basis.client.settings.partBytes))
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    try {
      this.#stream.update(bytes)
      this.#bytes += bytes.length
      const { partBytes } = this.#basis.client.settings
      for (let start = 0; start < bytes.length;) {
        // A full part is handed on only when more comes: a file of one part is one request.
        if (this.#partBytes === partBytes) await this.#handOn()
        const size = Math.min(bytes.length - start, partBytes - this.#partBytes)
        this.#collect(bytes.subarray(start, start + size))
        start += size
      }
      // Whoever does not wait for it overlaps with it, also where there was nothing to wait for.
      await Promise.resolve()
    } catch (error) {
      // What was not written is missing in the middle.
      if (this.#state === 'open') this.#state = 'failed'
      throw error
    } finally {
      this.#writing = false
    }
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    assert(!this.#writing, 'finish while a write runs')
    this.#state = 'finishing'
    const checksum = formatHash64(this.#stream.digest())
    this.#finishing = this.#finish({ name: this.name, bytes: this.#bytes, checksum })
    try {
      const ref = await this.#finishing
      this.#state = 'finished'
      this.#basis.done()
      return ref
    } catch (error) {
      this.#state = isCode(error, 'OUTCOME_UNKNOWN') ? 'unknown' : 'failed'
      throw error
    } finally {
      this.#part = new Uint8Array(0)
    }
  }

  /** After a `finish` whose outcome is unknown, the file may stay. */
  abort(): Promise<void> {
    const state = this.#state
    if (state === 'finished' || state === 'finishing') return Promise.resolve()
    this.#aborting ??= this.#abort(state !== 'unknown')
    this.#state = 'aborted'
    return this.#aborting
  }

  /** The store closes: resolves when nothing of this file is under way any more. */
  async end(): Promise<void> {
    await this.#finishing?.catch(() => undefined)
    await this.abort()
  }

  async #finish(ref: FileRef): Promise<FileRef> {
    const outcome = await this.#publish()
    if (outcome.type === 'done') return ref
    if (outcome.type === 'conflict') throw nameTaken(this.name)
    throw new VarveError('IO_FAILED', `the store refuses to create ${this.name}, and has no such file`, {
      details: { operation: 'finish', path: this.name },
    })
  }

  async #publish(): Promise<WriteOutcome> {
    const { client, isTaken } = this.#basis
    if (isTaken(this.name)) throw nameTaken(this.name)
    if (this.#partCount > 0) {
      await this.#handOn()
      await Promise.all(this.#underWay)
      this.#checkParts()
      assert(this.#upload !== undefined, 'parts without an upload')
      return this.#upload.complete()
    }
    const write = { key: fileKey(this.name), mark: this.#mark, condition: { type: 'absent' } } as const
    const body = this.#part.subarray(0, this.#partBytes)
    return writeConditionally(client, conditionalPut(client, write, body, { bodyDigest: this.#digest.digest('hex') }))
  }

  #collect(bytes: Uint8Array): void {
    const size = this.#partBytes + bytes.length
    if (size > this.#part.length) {
      const { partBytes } = this.#basis.client.settings
      const larger = new Uint8Array(Math.min(Math.max(size, this.#part.length * 2), partBytes))
      larger.set(this.#part.subarray(0, this.#partBytes))
      this.#part = larger
    }
    this.#part.set(bytes, this.#partBytes)
    this.#partBytes = size
    this.#digest.update(bytes)
  }

  /** Begins to upload the part that has been collected, when there are not too many under way. */
  async #handOn(): Promise<void> {
    const { client, pending } = this.#basis
    const { partsInFlight, partBytes } = client.settings
    const number = ++this.#partCount
    this.#upload ??= await MultipartUpload.begin(
      client,
      { key: fileKey(this.name), claimKey: claimKey(this.name) },
      this.#mark,
    )
    while (this.#underWay.size >= partsInFlight) await Promise.race(this.#underWay)
    this.#checkParts()
    const bytes = this.#part.subarray(0, this.#partBytes)
    pending.add(bytes.length)
    const putting = this.#upload
      .put(number, bytes, this.#digest.digest('hex'))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        pending.remove(bytes.length)
        this.#underWay.delete(putting)
      })
    this.#underWay.add(putting)
    this.#part = new Uint8Array(partBytes)
    this.#partBytes = 0
    this.#digest = createHash('sha256')
  }

  #checkParts(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #abort(release: boolean): Promise<void> {
    this.#part = new Uint8Array(0)
    try {
      await Promise.all(this.#underWay)
      await this.#upload?.abort(release)
    } finally {
      this.#basis.done()
    }
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}
