/**
 * A file store over another, with somebody in between who sees every call and may hold it back, or answer otherwise.
 *
 * What the port promises of calls that overlap is kept here, because the store below may hear of them late: writes of one
 * file do not overlap, a reader that is closed lets its reads end, a writer that has failed takes nothing more.
 */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { FileName } from '../kernel/ids.ts'
import type {
  AbortOptions,
  CreateOptions,
  FileInfo,
  FileReader,
  FileStore,
  FileStoreSupport,
  FileWriter,
  OpenOptions,
} from './fs.ts'
import { InterceptedReader, InterceptedWriter } from './intercepted-file.ts'
import { PendingBytes } from './pending-bytes.ts'
import { storeCall } from './store-call.ts'
import type { CallInterceptor } from './store-call.ts'

/** What is taken from the store below. */
export interface InterceptedFileStoreOptions {
  /** `false`: refuse the synchronous twins, whatever the store below can do. Default: as it does. */
  readonly syncRead?: false
}

/** Hands every call to an interceptor, and from there, if it says so, to the store below. */
export class InterceptedFileStore implements FileStore {
  readonly name: string
  readonly supports: FileStoreSupport
  readonly #inner: FileStore
  readonly #interceptor: CallInterceptor
  readonly #pending: PendingBytes
  #closed = false

  /** @param inner closed with this one */
  constructor(inner: FileStore, interceptor: CallInterceptor, options: InterceptedFileStoreOptions = {}) {
    this.name = inner.name
    this.supports = options.syncRead === false ? Object.freeze({ syncRead: false, readNow: false }) : inner.supports
    this.#inner = inner
    this.#interceptor = interceptor
    this.#pending = new PendingBytes(inner.pendingBytesMax)
  }

  async create(name: FileName, options?: CreateOptions): Promise<FileWriter> {
    this.#checkOpen()
    let created: FileWriter | undefined
    try {
      await this.#interceptor.run(storeCall('create', name), async () => {
        created = await this.#inner.create(name, options)
      })
    } catch (error) {
      await created?.abort().catch(() => undefined)
      throw error
    }
    return new InterceptedWriter(called(created), this.#interceptor, this.#pending)
  }

  async open(ref: FileRef, options?: OpenOptions): Promise<FileReader> {
    this.#checkOpen()
    let opened: FileReader | undefined
    try {
      await this.#interceptor.run(storeCall('open', ref.name, 0, ref.bytes), async () => {
        opened = await this.#inner.open(ref, options)
      })
    } catch (error) {
      await opened?.close().catch(() => undefined)
      throw error
    }
    return new InterceptedReader(called(opened), this.#interceptor, this.supports.syncRead)
  }

  openSync(ref: FileRef, options?: OpenOptions): FileReader {
    this.#checkOpen()
    if (!this.supports.syncRead) throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously`)
    let opened: FileReader | undefined
    try {
      this.#interceptor.runSync(storeCall('open', ref.name, 0, ref.bytes, true), () => {
        opened = this.#inner.openSync(ref, options)
      })
    } catch (error) {
      void opened?.close().catch(() => undefined)
      throw error
    }
    return new InterceptedReader(called(opened), this.#interceptor, true)
  }

  async list(prefix = '', options?: AbortOptions): Promise<readonly FileInfo[]> {
    this.#checkOpen()
    return this.#interceptor.run(storeCall('list', prefix), () => this.#inner.list(prefix, options))
  }

  async remove(names: readonly FileName[], options?: AbortOptions): Promise<void> {
    this.#checkOpen()
    return this.#interceptor.run(storeCall('remove', names.join(',')), () => this.#inner.remove(names, options))
  }

  get pendingBytes(): number {
    return Math.max(this.#pending.bytes, this.#inner.pendingBytes)
  }

  get pendingBytesMax(): number {
    return this.#inner.pendingBytesMax
  }

  async ready(): Promise<void> {
    this.#checkOpen()
    await this.#pending.ready()
    await this.#inner.ready()
  }

  freeBytes(): Promise<number | undefined> {
    return this.#interceptor.run(storeCall('freeBytes'), () => this.#inner.freeBytes())
  }

  close(): Promise<void> {
    this.#closed = true
    return this.#interceptor.run(storeCall('close'), () => this.#inner.close())
  }

  #checkOpen(): void {
    if (this.#closed) throw new VarveError('CLOSED', 'the file store is closed')
  }
}

/** What the call below answered: an interceptor that answers in its place would have nothing to give. */
function called<T>(answer: T | undefined): T {
  if (answer === undefined) throw new TypeError('an interceptor answered without handing the call on')
  return answer
}
