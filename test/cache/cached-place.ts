/** A file store behind a disk cache, for tests: it can be closed and opened, and tells what the store was asked to read. */

import assert from 'node:assert/strict'
import type { Device } from '../../src/kernel/device.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { CachedFileStore } from '../../src/fs/cache/cached-file-store.ts'
import { DiskCache } from '../../src/fs/cache/disk-cache.ts'
import type { DiskCacheSettings } from '../../src/fs/cache/settings.ts'
import type { FileStore } from '../../src/fs/fs.ts'
import { InterceptedFileStore } from '../../src/fs/intercepted-file-store.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import type { StoreCall } from '../../src/fs/store-call.ts'

const hash = await loadHash()
export const CHUNK = 4 * KIB
const READ_ONLY_ONCE = { chunkBytes: CHUNK, keepsWritten: false }

export class CachedPlace {
  readonly inner = new MemoryFileStore({ hash, syncRead: false })
  readonly reads: StoreCall[] = []
  readonly device: Device
  readonly bytesMax: number
  readonly settings: Partial<DiskCacheSettings>
  #cache: DiskCache | undefined
  #store: FileStore | undefined

  constructor(device: Device, bytesMax: number, settings: Partial<DiskCacheSettings> = READ_ONLY_ONCE) {
    this.device = device
    this.bytesMax = bytesMax
    this.settings = settings
  }

  async open(): Promise<void> {
    this.inner.reopen()
    const { device, bytesMax, settings } = this
    this.#cache = await DiskCache.open({ device, directory: 'cache', bytesMax, hash, settings })
    const counted = new InterceptedFileStore(this.inner, {
      run: (call, proceed) => {
        if (call.operation === 'read') this.reads.push(call)
        return proceed()
      },
      runSync: (_call, proceed) => proceed(),
    })
    this.#store = new CachedFileStore(counted, { cache: this.#cache })
  }

  get cache(): DiskCache {
    assert.ok(this.#cache !== undefined)
    return this.#cache
  }

  get store(): FileStore {
    assert.ok(this.#store !== undefined)
    return this.#store
  }

  async close(): Promise<void> {
    await this.store.close()
    await this.cache.close()
  }

  async read(ref: FileRef, offset = 0, length = ref.bytes): Promise<Uint8Array> {
    const reader = await this.store.open(ref)
    const bytes = await reader.read(offset, length)
    await reader.close()
    await this.cache.idle()
    return bytes
  }

  async bytesOnDisk(): Promise<number> {
    let bytes = 0
    for (const name of ['chunks', 'index']) bytes += (await this.device.stat(`cache/${name}`))?.bytes ?? 0
    return bytes
  }
}
