/** The reader and the writer of a file with somebody in between: see intercepted-file-store.ts. */

import { assert } from '../kernel/assert.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { FileName } from '../kernel/ids.ts'
import type { AbortOptions, FileReader, FileWriter } from './fs.ts'
import type { PendingBytes } from './pending-bytes.ts'
import { storeCall } from './store-call.ts'
import type { CallInterceptor } from './store-call.ts'

export class InterceptedWriter implements FileWriter {
  readonly name: FileName
  readonly #inner: FileWriter
  readonly #interceptor: CallInterceptor
  readonly #pending: PendingBytes
  #bytes = 0
  #writing = false
  #state: 'open' | 'finishing' | 'finished' | 'failed' | 'aborted' = 'open'

  constructor(inner: FileWriter, interceptor: CallInterceptor, pending: PendingBytes) {
    this.name = inner.name
    this.#inner = inner
    this.#interceptor = interceptor
    this.#pending = pending
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    const call = storeCall('write', this.name, this.#bytes, bytes.length)
    this.#bytes += bytes.length
    this.#pending.add(bytes.length)
    try {
      await this.#interceptor.run(call, () => this.#inner.write(bytes))
    } catch (error) {
      // What was not written is missing in the middle.
      if (this.#state === 'open') this.#state = 'failed'
      throw error
    } finally {
      this.#writing = false
      this.#pending.remove(bytes.length)
    }
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    assert(!this.#writing, 'finish while a write runs')
    this.#state = 'finishing'
    try {
      const call = storeCall('finish', this.name, 0, this.#bytes)
      const ref = await this.#interceptor.run(call, () => this.#inner.finish())
      this.#state = 'finished'
      return ref
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }

  /** A file that was finished below, though the caller was told otherwise, stays: the outcome is unknown. */
  abort(): Promise<void> {
    if (this.#state === 'open' || this.#state === 'failed') this.#state = 'aborted'
    return this.#interceptor.run(storeCall('abort', this.name), () => this.#inner.abort())
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}

export class InterceptedReader implements FileReader {
  readonly ref: FileRef
  readonly #inner: FileReader
  readonly #interceptor: CallInterceptor
  readonly #syncRead: boolean
  readonly #reading = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(inner: FileReader, interceptor: CallInterceptor, syncRead: boolean) {
    this.ref = inner.ref
    this.#inner = inner
    this.#interceptor = interceptor
    this.#syncRead = syncRead
  }

  async read(offset: number, length: number, options?: AbortOptions): Promise<Uint8Array> {
    this.#checkOpen()
    const call = storeCall('read', this.ref.name, offset, length)
    const reading = this.#interceptor.run(call, () => this.#inner.read(offset, length, options))
    this.#reading.add(reading)
    try {
      return await reading
    } finally {
      this.#reading.delete(reading)
    }
  }

  readSync(offset: number, length: number, into?: Uint8Array): Uint8Array {
    this.#checkOpen()
    if (!this.#syncRead) throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
    const call = storeCall('read', this.ref.name, offset, length, true)
    return this.#interceptor.runSync(call, () => this.#inner.readSync(offset, length, into))
  }

  readNow(offset: number, length: number, into?: Uint8Array): Uint8Array | undefined {
    this.#checkOpen()
    const call = storeCall('read', this.ref.name, offset, length, true)
    const found = this.#interceptor.runSync(call, () => this.#inner.readNow(offset, length, into))
    // A store that refuses the synchronous twins stands for one that is far away.
    return this.#syncRead ? found : undefined
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#reading)
    await this.#interceptor.run(storeCall('closeReader', this.ref.name), () => this.#inner.close())
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}
