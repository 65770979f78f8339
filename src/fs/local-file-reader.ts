/** A finished file of a local directory. */

import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { DeviceFile, DeviceSupport } from '../kernel/device.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { checkRange, fileMissing } from './file-missing.ts'
import type { FileReader, ReadOptions } from './fs.ts'

// A read that fails may succeed when tried again (a flaky cable, a busy array); one that fails thrice will not.
const ATTEMPTS_MAX = 3

export class LocalFileReader implements FileReader {
  readonly ref: FileRef
  readonly #file: DeviceFile
  readonly #syncRead: boolean
  readonly #readNow: boolean
  readonly #done: () => void
  #closed = false

  constructor(ref: FileRef, file: DeviceFile, supports: DeviceSupport, done: () => void) {
    this.ref = ref
    this.#file = file
    // The store's `openSync` takes both.
    this.#syncRead = supports.syncRead && supports.syncWrite
    this.#readNow = supports.readNow
    this.#done = done
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    checkRange(this.ref, offset, length)
    const { into } = options
    const bytes = memoryFor(length, into)
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(options.signal)
      try {
        return this.#whole(bytes, offset, await this.#file.read(bytes, offset))
      } catch (error) {
        if (!isCode(error, 'IO_FAILED') || attempt === ATTEMPTS_MAX) throw error
      }
    }
  }

  readSync(offset: number, length: number, into?: Uint8Array): Uint8Array {
    if (!this.#syncRead)
      throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously on this device`)
    checkRange(this.ref, offset, length)
    const bytes = memoryFor(length, into)
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#whole(bytes, offset, this.#file.readSync(bytes, offset))
      } catch (error) {
        if (!isCode(error, 'IO_FAILED') || attempt === ATTEMPTS_MAX) throw error
      }
    }
  }

  readNow(offset: number, length: number, into?: Uint8Array): Uint8Array | undefined {
    checkRange(this.ref, offset, length)
    if (this.#closed) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
    if (!this.#readNow) return undefined
    const bytes = memoryFor(length, into)
    try {
      const count = this.#file.readNow(bytes, offset)
      return count === undefined ? undefined : this.#whole(bytes, offset, count)
    } catch (error) {
      // `read` will try that more often.
      if (isCode(error, 'IO_FAILED')) return undefined
      throw error
    }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#done()
    return this.#file.close()
  }

  /** The file had its length when it was opened: one that ends before that has been cut since. */
  #whole(bytes: Uint8Array, offset: number, count: number): Uint8Array {
    if (count === bytes.length) return bytes
    throw fileMissing(this.ref, offset + count)
  }
}

function memoryFor(length: number, into: Uint8Array | undefined): Uint8Array {
  return into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
}
