/** A file of a slow store, whose chunks are looked for in the cache first. */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { checkRange } from '../file-missing.ts'
import type { FileReader, ReadIntent, ReadOptions } from '../fs.ts'
import type { ChunkFetches } from './chunk-fetches.ts'
import type { DiskCache } from './disk-cache.ts'

export interface CachedReaderBasis {
  readonly cache: DiskCache
  readonly fetches: ChunkFetches
  readonly intent: ReadIntent
  /** It is being closed. */
  readonly done: () => void
}

export class CachedFileReader implements FileReader {
  readonly ref: FileRef
  readonly #inner: FileReader
  readonly #basis: CachedReaderBasis
  readonly #reading = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  /** @param inner closed with this one */
  constructor(inner: FileReader, basis: CachedReaderBasis) {
    this.ref = inner.ref
    this.#inner = inner
    this.#basis = basis
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
    throwIfAborted(options.signal)
    if (length === 0) return this.#inner.read(offset, length, options)
    const reading = this.#read(offset, length, options)
    this.#reading.add(reading)
    try {
      return await reading
    } finally {
      this.#reading.delete(reading)
    }
  }

  readSync(): Uint8Array {
    this.#checkOpen()
    throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
  }

  /** What is on the disk is not in memory. */
  readNow(offset: number, length: number): undefined {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#basis.done()
    await Promise.allSettled(this.#reading)
    await this.#inner.close()
  }

  async #read(offset: number, length: number, options: ReadOptions): Promise<Uint8Array> {
    const { cache, fetches, intent } = this.#basis
    const { chunkBytes } = cache.settings
    const first = Math.floor(offset / chunkBytes)
    const last = Math.floor((offset + length - 1) / chunkBytes)
    if (intent === 'stream' && !this.#isHere(first, last)) return this.#inner.read(offset, length, options)
    const chunks = await fetches.chunks(this.#inner, first, last)
    throwIfAborted(options.signal)
    const { into } = options
    // A copy: a block that is kept does not keep its chunk.
    const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
    for (const [index, chunk] of chunks.entries()) {
      const start = (first + index) * chunkBytes
      const from = Math.max(offset, start)
      const limit = Math.min(offset + length, start + chunk.length)
      bytes.set(chunk.subarray(from - start, limit - start), from - offset)
    }
    return bytes
  }

  #isHere(first: number, last: number): boolean {
    for (let chunk = first; chunk <= last; chunk++) if (!this.#basis.cache.has(this.ref, chunk)) return false
    return true
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}
