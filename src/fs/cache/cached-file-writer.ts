/** A file being written to a slow store, and into the cache on the way: found there once it is finished. */

import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { HashStream } from '../../kernel/hash.ts'
import type { FileName } from '../../kernel/ids.ts'
import type { FileWriter } from '../fs.ts'
import type { DiskCache, WrittenChunk } from './disk-cache.ts'

export class CachedFileWriter implements FileWriter {
  readonly name: FileName
  readonly #inner: FileWriter
  readonly #cache: DiskCache
  /** Of what was collected: it is kept only if that is what is in the file. */
  readonly #stream: HashStream
  /** Of the chunk that is being collected. */
  #chunk: Uint8Array
  #chunkBytes = 0
  #chunkIndex = 0
  #written: WrittenChunk[] = []

  constructor(inner: FileWriter, cache: DiskCache) {
    this.name = inner.name
    this.#inner = inner
    this.#cache = cache
    this.#stream = cache.hash.stream64(0n)
    this.#chunk = new Uint8Array(cache.settings.chunkBytes)
  }

  get bytes(): number {
    return this.#inner.bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    const writing = this.#inner.write(bytes)
    // Also what is refused, because two writes overlap: `finish` finds out.
    this.#collect(bytes)
    await writing
  }

  async finish(): Promise<FileRef> {
    let ref: FileRef
    try {
      ref = await this.#inner.finish()
    } catch (error) {
      this.#discard()
      throw error
    }
    this.#handOn()
    if (formatHash64(this.#stream.digest()) === ref.checksum) {
      for (const written of this.#written) this.#cache.commit(written, ref)
      this.#written = []
    } else this.#discard()
    return ref
  }

  abort(): Promise<void> {
    this.#discard()
    return this.#inner.abort()
  }

  #collect(bytes: Uint8Array): void {
    this.#stream.update(bytes)
    const { chunkBytes } = this.#cache.settings
    for (let start = 0; start < bytes.length;) {
      const size = Math.min(bytes.length - start, chunkBytes - this.#chunkBytes)
      this.#chunk.set(bytes.subarray(start, start + size), this.#chunkBytes)
      this.#chunkBytes += size
      start += size
      if (this.#chunkBytes === chunkBytes) this.#handOn()
    }
  }

  #handOn(): void {
    if (this.#chunkBytes === 0) return
    const written = this.#cache.write(this.name, this.#chunkIndex++, this.#chunk.subarray(0, this.#chunkBytes))
    if (written !== undefined) this.#written.push(written)
    this.#chunk = new Uint8Array(this.#cache.settings.chunkBytes)
    this.#chunkBytes = 0
  }

  #discard(): void {
    for (const written of this.#written) this.#cache.discard(written)
    this.#written = []
    this.#chunkBytes = 0
  }
}
