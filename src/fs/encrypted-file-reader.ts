/** An encrypted file being read: the chunks that a range touches, no others. */

import type { FileRef } from '../kernel/file-ref.ts'
import type { ChunkCipher } from './aes-gcm.ts'
import { CHUNK_BYTES, SEALED_BYTES, chunkCount, chunkStart, storedLength } from './encrypted-layout.ts'
import { fileCorrupt } from './file-corrupt.ts'
import { checkRange } from './file-missing.ts'
import type { FileReader, ReadOptions } from './fs.ts'

/** Chunks [first, limit), and where they are stored. */
interface Span {
  readonly first: number
  readonly limit: number
  readonly start: number
  readonly length: number
}

export class EncryptedFileReader implements FileReader {
  readonly ref: FileRef
  readonly #inner: FileReader
  readonly #cipher: ChunkCipher

  constructor(ref: FileRef, inner: FileReader, cipher: ChunkCipher) {
    this.ref = ref
    this.#inner = inner
    this.#cipher = cipher
  }

  /** @throws {VarveError} FILE_CORRUPT — a chunk was changed, moved or taken from another file */
  async read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array> {
    checkRange(this.ref, offset, length)
    const span = this.#span(offset, length)
    // `options.into` may hold the sealed bytes: what is opened is elsewhere.
    return this.#open(span, await this.#inner.read(span.start, span.length, options), offset, length)
  }

  readSync(offset: number, length: number): Uint8Array {
    checkRange(this.ref, offset, length)
    const span = this.#span(offset, length)
    return this.#open(span, this.#inner.readSync(span.start, span.length), offset, length)
  }

  readNow(offset: number, length: number): Uint8Array | undefined {
    checkRange(this.ref, offset, length)
    const span = this.#span(offset, length)
    const sealed = this.#inner.readNow(span.start, span.length)
    return sealed === undefined ? undefined : this.#open(span, sealed, offset, length)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #span(offset: number, length: number): Span {
    const first = Math.floor(offset / CHUNK_BYTES)
    // Nothing is read for nothing, but a closed reader says so.
    if (length === 0) return { first, limit: first, start: 0, length: 0 }
    const limit = Math.floor((offset + length - 1) / CHUNK_BYTES) + 1
    const start = chunkStart(first)
    return { first, limit, start, length: Math.min(chunkStart(limit), storedLength(this.ref.bytes)) - start }
  }

  #open(span: Span, sealed: Uint8Array, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    const count = chunkCount(this.ref.bytes)
    for (let index = span.first; index < span.limit; index++) {
      const at = (index - span.first) * SEALED_BYTES
      const plain = this.#cipher.open(index, index === count - 1, sealed.subarray(at, at + SEALED_BYTES))
      if (plain === undefined) {
        const reason = 'it was changed, moved, cut off, or is of another file'
        throw fileCorrupt(this.ref.name, chunkStart(index), 'chunk', reason)
      }
      const plainStart = index * CHUNK_BYTES
      const from = Math.max(offset, plainStart)
      const to = Math.min(offset + length, plainStart + plain.length)
      bytes.set(plain.subarray(from - plainStart, to - plainStart), from - offset)
    }
    return bytes
  }
}
