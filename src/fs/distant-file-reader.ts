/** What readers have in common whose bytes are not in this process: they can be waited for, and nothing else. */

import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { checkRange } from './file-missing.ts'
import type { FileReader, ReadOptions } from './fs.ts'

export abstract class DistantFileReader implements FileReader {
  readonly ref: FileRef
  readonly #reading = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(ref: FileRef) {
    this.ref = ref
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
    throwIfAborted(options.signal)
    const reading = this.fetch(offset, length, options)
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

  /** Nothing is in memory. */
  readNow(offset: number, length: number): undefined {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** As `read`, of a range that is within the file. */
  protected abstract fetch(offset: number, length: number, options: ReadOptions): Promise<Uint8Array>

  /** No read is under way any more. */
  protected abstract release(): Promise<void>

  async #close(): Promise<void> {
    await Promise.allSettled(this.#reading)
    await this.release()
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}
