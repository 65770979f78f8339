/** A file store in memory for this folder's tests: files can be damaged, reads counted, opens made to fail. */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import type { FileInfo, FileReader, FileStore, FileWriter } from '../fs/fs.ts'

export class FakeFileStore implements FileStore {
  readonly name = 'fake'
  readonly supports: { readonly syncRead: boolean }
  readonly contents = new Map<string, Uint8Array>()
  readonly pendingBytes = 0
  readonly pendingBytesMax = 1
  readCount = 0
  openCount = 0
  /** Opens fail with OUT_OF_FILES beyond this many. */
  openMax = Infinity
  readonly #hash: Hash

  constructor(hash: Hash, syncRead = true) {
    this.#hash = hash
    this.supports = { syncRead }
  }

  async create(name: FileName): Promise<FileWriter> {
    const parts: Uint8Array[] = []
    const hash = this.#hash
    const contents = this.contents
    let bytes = 0
    return {
      name,
      get bytes() {
        return bytes
      },
      async write(part) {
        parts.push(part.slice())
        bytes += part.length
      },
      async finish() {
        const content = new Uint8Array(bytes)
        let at = 0
        for (const part of parts) {
          content.set(part, at)
          at += part.length
        }
        contents.set(name, content)
        return { name, bytes, checksum: formatHash64(hash.hash64(content, 0n)) }
      },
      async abort() {
        parts.length = 0
      },
    }
  }

  async open(ref: FileRef): Promise<FileReader> {
    return this.#open(ref)
  }

  openSync(ref: FileRef): FileReader {
    if (!this.supports.syncRead) throw new VarveError('WOULD_BLOCK', 'no synchronous reads')
    return this.#open(ref)
  }

  async list(): Promise<readonly FileInfo[]> {
    return [...this.contents].map(([name, content]) => ({ name: name as FileName, bytes: content.length }))
  }

  async remove(names: readonly FileName[]): Promise<void> {
    for (const name of names) this.contents.delete(name)
  }

  async ready(): Promise<void> {}

  async freeBytes(): Promise<number | undefined> {
    return undefined
  }

  async close(): Promise<void> {}

  #open(ref: FileRef): FileReader {
    const content = this.contents.get(ref.name)
    if (content === undefined || content.length !== ref.bytes)
      throw new VarveError('FILE_MISSING', `${ref.name} is missing`)
    if (this.openCount >= this.openMax) throw new VarveError('OUT_OF_FILES', 'no descriptor left')
    this.openCount++
    const read = (offset: number, length: number): Uint8Array => {
      if (!open) throw new VarveError('CLOSED', 'closed')
      if (offset < 0 || offset + length > content.length) throw new VarveError('FILE_MISSING', `${ref.name} ends early`)
      this.readCount++
      return content.slice(offset, offset + length)
    }
    let open = true
    return {
      ref,
      read: async (offset, length) => read(offset, length),
      readSync: (offset, length) => {
        if (!this.supports.syncRead) throw new VarveError('WOULD_BLOCK', 'no synchronous reads')
        return read(offset, length)
      },
      close: async () => {
        if (open) this.openCount--
        open = false
      },
    }
  }
}
