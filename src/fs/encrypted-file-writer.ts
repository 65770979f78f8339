/**
 * An encrypted file being written. The last chunk has a nonce of its own kind, so one chunk, of at least a byte, is always
 * kept back until more comes or the file is finished.
 */

import { assert } from '../kernel/assert.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { HashStream } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import { TAG_BYTES } from './aes-gcm.ts'
import type { ChunkCipher } from './aes-gcm.ts'
import { CHUNK_BYTES, SEALED_BYTES } from './encrypted-layout.ts'
import type { FileWriter } from './fs.ts'

// 1 MiB handed on at a time: memory for a write stays small, however large it is.
const CHUNKS_AT_ONCE = 64

export interface EncryptedFileWriterParts {
  readonly inner: FileWriter
  /** Goes first. */
  readonly header: Uint8Array
  readonly cipher: ChunkCipher
  /** Of the plain bytes. */
  readonly content: HashStream
  readonly store: { readonly open: boolean }
}

export class EncryptedFileWriter implements FileWriter {
  readonly name: FileName
  readonly #parts: EncryptedFileWriterParts
  readonly #kept = new Uint8Array(CHUNK_BYTES)
  #keptBytes = 0
  #chunkCount = 0
  #bytes = 0
  #writing = false
  #state: 'open' | 'finishing' | 'finished' | 'failed' | 'aborted' = 'open'

  constructor(parts: EncryptedFileWriterParts) {
    this.name = parts.inner.name
    this.#parts = parts
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    this.#bytes += bytes.length
    try {
      this.#parts.content.update(bytes)
      await this.#append(bytes)
    } catch (error) {
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
    try {
      await this.#hand([this.#kept.subarray(0, this.#keptBytes)], true)
      await this.#parts.inner.finish()
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
    this.#state = 'finished'
    return { name: this.name, bytes: this.#bytes, checksum: formatHash64(this.#parts.content.digest()) }
  }

  abort(): Promise<void> {
    if (this.#state === 'open' || this.#state === 'failed') this.#state = 'aborted'
    return this.#parts.inner.abort()
  }

  async #append(bytes: Uint8Array): Promise<void> {
    let at = this.#keep(bytes, 0)
    while (at < bytes.length) {
      // What is kept is a whole chunk now, and more comes after it.
      const chunks: Uint8Array[] = [this.#kept]
      while (chunks.length < CHUNKS_AT_ONCE && bytes.length - at > CHUNK_BYTES) {
        chunks.push(bytes.subarray(at, at + CHUNK_BYTES))
        at += CHUNK_BYTES
      }
      const handed = this.#hand(chunks, false)
      this.#keptBytes = 0
      await handed
      at = this.#keep(bytes, at)
    }
    // Overlapping writes are refused for as long as the promise is pending, even where there was nothing to wait for.
    await Promise.resolve()
  }

  /** @returns how far `bytes` were taken: until the kept chunk was full */
  #keep(bytes: Uint8Array, start: number): number {
    const count = Math.min(CHUNK_BYTES - this.#keptBytes, bytes.length - start)
    this.#kept.set(bytes.subarray(start, start + count), this.#keptBytes)
    this.#keptBytes += count
    return start + count
  }

  /** Seals `chunks` before it returns, then writes them, the header before the first. */
  #hand(chunks: readonly Uint8Array[], last: boolean): Promise<void> {
    const { inner, header, cipher } = this.#parts
    const headerBytes = this.#chunkCount === 0 ? header.length : 0
    const plainBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    const sealed = new Uint8Array(headerBytes + plainBytes + chunks.length * TAG_BYTES)
    if (headerBytes > 0) sealed.set(header)
    for (const [index, chunk] of chunks.entries())
      cipher.seal(this.#chunkCount + index, last, chunk, sealed, headerBytes + index * SEALED_BYTES)
    this.#chunkCount += chunks.length
    return inner.write(sealed)
  }

  #checkOpen(): void {
    const state = this.#parts.store.open ? this.#state : 'aborted'
    if (state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${state}`)
  }
}
