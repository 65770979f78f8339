/** Chunks that are being fetched: who wants one that somebody fetches already waits for it. */

import type { FileReader } from '../fs.ts'
import type { DiskCache } from './disk-cache.ts'

export class ChunkFetches {
  readonly #cache: DiskCache
  readonly #underWay = new Map<string, Promise<Uint8Array>>()

  constructor(cache: DiskCache) {
    this.#cache = cache
  }

  /** Chunks `first` … `last` of a file, from the cache or with as few reads of the store as possible. */
  async chunks(reader: FileReader, first: number, last: number): Promise<readonly Uint8Array[]> {
    const { ref } = reader
    const indices = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    const found = await Promise.all(indices.map((chunk) => this.#cache.read(ref, chunk)))
    const wanted: Promise<Uint8Array>[] = []
    for (let at = 0; at < found.length;) {
      const here = found[at]
      const there = this.#underWay.get(keyOf(reader, first + at))
      if (here !== undefined || there !== undefined) {
        wanted.push(here === undefined ? (there as Promise<Uint8Array>) : Promise.resolve(here))
        at++
        continue
      }
      let limit = at + 1
      while (limit < found.length && found[limit] === undefined && !this.#underWay.has(keyOf(reader, first + limit)))
        limit++
      wanted.push(...this.#fetch(reader, first + at, first + limit))
      at = limit
    }
    return Promise.all(wanted)
  }

  /** Chunks `start` … `limit` − 1 with one read. */
  #fetch(reader: FileReader, start: number, limit: number): readonly Promise<Uint8Array>[] {
    const { ref } = reader
    const { chunkBytes } = this.#cache.settings
    const offset = start * chunkBytes
    const reading = reader.read(offset, Math.min(limit * chunkBytes, ref.bytes) - offset)
    const fetched: Promise<Uint8Array>[] = []
    for (let chunk = start; chunk < limit; chunk++) {
      const key = keyOf(reader, chunk)
      const piece = reading
        .then((bytes) => {
          const at = (chunk - start) * chunkBytes
          const part = bytes.subarray(at, at + chunkBytes)
          this.#cache.keep(ref, chunk, part)
          return part
        })
        .finally(() => this.#underWay.delete(key))
      this.#underWay.set(key, piece)
      fetched.push(piece)
    }
    return fetched
  }
}

function keyOf({ ref }: FileReader, chunk: number): string {
  return `${ref.name}/${ref.checksum}/${chunk}`
}
