/** A file of a slow store, whose chunks are looked for in the cache first. */

import { throwIfAborted } from '../../kernel/errors.ts'
import { DistantFileReader } from '../distant-file-reader.ts'
import type { FileReader, ReadIntent, ReadOptions } from '../fs.ts'
import type { ChunkFetches } from './chunk-fetches.ts'
import type { DiskCache } from './disk-cache.ts'

export interface CachedReaderBasis {
  readonly cache: DiskCache
  readonly fetches: ChunkFetches
  readonly intent: ReadIntent
  /** It is closed. */
  readonly done: () => void
}

export class CachedFileReader extends DistantFileReader {
  readonly #inner: FileReader
  readonly #basis: CachedReaderBasis

  /** @param inner closed with this one */
  constructor(inner: FileReader, basis: CachedReaderBasis) {
    super(inner.ref)
    this.#inner = inner
    this.#basis = basis
  }

  protected override async release(): Promise<void> {
    this.#basis.done()
    await this.#inner.close()
  }

  protected override async fetch(offset: number, length: number, options: ReadOptions): Promise<Uint8Array> {
    if (length === 0) return this.#inner.read(offset, length, options)
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
}
