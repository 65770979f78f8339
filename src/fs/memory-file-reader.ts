/** A finished file in memory. */

import { copyOf } from '../kernel/bytes.ts'
import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { checkRange } from './file-missing.ts'
import type { AbortOptions, FileReader } from './fs.ts'

export class MemoryFileReader implements FileReader {
  readonly ref: FileRef
  readonly #content: Uint8Array
  readonly #supports: { readonly syncRead: boolean; readonly readNow: boolean }
  readonly #store: { readonly open: boolean }
  #closed = false

  constructor(
    ref: FileRef,
    content: Uint8Array,
    supports: { readonly syncRead: boolean; readonly readNow: boolean },
    store: { readonly open: boolean },
  ) {
    this.ref = ref
    this.#content = content
    this.#supports = supports
    this.#store = store
  }

  async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal)
    return Promise.resolve(this.#slice(offset, length))
  }

  readSync(offset: number, length: number): Uint8Array {
    if (!this.#supports.syncRead) throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
    return this.#slice(offset, length)
  }

  readNow(offset: number, length: number): Uint8Array | undefined {
    const bytes = this.#slice(offset, length)
    return this.#supports.readNow ? bytes : undefined
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #slice(offset: number, length: number): Uint8Array {
    if (this.#closed || !this.#store.open) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
    checkRange(this.ref, offset, length)
    return copyOf(this.#content, offset, offset + length)
  }
}
