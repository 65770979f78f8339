/**
 * What is on a disk after a power cut: files, their names and their bytes. Immutable, cheap to make (bytes that nothing
 * has changed are shared) and to compare.
 */

import { hashKey } from '../kernel/hash.ts'

/** The bytes of one file. */
export class FileContent {
  /** Not to be changed. */
  readonly bytes: Uint8Array
  #hash: string | undefined

  /** @param bytes never changed afterwards */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** 64 bits, as text. */
  get hash(): string {
    this.#hash ??= hash64(this.bytes)
    return this.#hash
  }
}

/** A disk, as it was at one moment. */
export class DiskImage {
  /** Paths, sorted; the root is not among them. */
  readonly directories: readonly string[]
  /** By path, sorted. Two names of one file have the same object. */
  readonly files: ReadonlyMap<string, FileContent>
  #hash: string | undefined

  /** @param files sorted by path */
  constructor(directories: readonly string[], files: ReadonlyMap<string, FileContent>) {
    this.directories = directories.filter((path) => path !== '.').sort()
    this.files = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Equal for images that no process could tell apart, and for no others but by an accident of 64 bits. */
  get hash(): string {
    if (this.#hash === undefined) {
      const numbers = new Map<FileContent, number>()
      const parts = [this.directories.join(' ')]
      for (const [path, content] of this.files) {
        const number = numbers.get(content) ?? numbers.size
        numbers.set(content, number)
        parts.push(`${path} ${number} ${content.bytes.length} ${content.hash}`)
      }
      this.#hash = hash64(Buffer.from(parts.join('\n')))
    }
    return this.#hash
  }
}

function hash64(bytes: Uint8Array): string {
  return `${hashKey(bytes, 0, bytes.length, 1).toString(36)}.${hashKey(bytes, 0, bytes.length, 2).toString(36)}`
}
