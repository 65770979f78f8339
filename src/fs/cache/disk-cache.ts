/**
 * Chunks of files in two files of a local directory: slots of one size, and an index that says what is in them.
 *
 * Nothing is synced and nothing is believed: what is read is compared with a checksum that its record has, seeded with
 * the file and the place it belongs to, and a record names the file by its checksum, too. A torn write, a crash between
 * chunk and record, a slot that was taken by another, a cache that served another store, another process in the same
 * directory: all of them are misses.
 */

import { isCode } from '../../kernel/errors.ts'
import type { Device, DeviceFile } from '../../kernel/device.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { FileName } from '../../kernel/ids.ts'
import { joinPath } from '../device-path.ts'
import { resolveDiskCacheSettings } from './settings.ts'
import type { DiskCacheSettings } from './settings.ts'
import { RECORD_BYTES, chunkSeed, decodeHeader, decodeSlot, encodeHeader, encodeSlot } from './slot-record.ts'
import { SlotTable } from './slot-table.ts'
import type { Slot } from './slot-table.ts'

/** Where a cache is, and how large it may grow. */
export interface DiskCacheOptions {
  /** The disk that has `directory`. */
  readonly device: Device
  /** Of its own: it is made where it is not there. */
  readonly directory: string
  /** Its two files are never larger, together. In bytes. */
  readonly bytesMax: number
  /** Checksums of chunks and records. */
  readonly hash: Hash
  /** Default, each: that of `DISK_CACHE_DEFAULTS`. */
  readonly settings?: Partial<DiskCacheSettings>
}

/** Counts since the cache was opened; `bytes` is as of now. */
export interface DiskCacheUsage {
  /** Of chunks that are kept, each counted whole. */
  readonly bytes: number
  /** Reads that found their chunk, checked. */
  readonly hits: number
  /** Reads that did not, for whatever reason. */
  readonly misses: number
  /** Chunks that had to make room for others. */
  readonly evictions: number
  /** Chunks that were not what their record says. */
  readonly damaged: number
  /** Reads and writes of the disk that failed. */
  readonly failures: number
}

const CHUNKS_NAME = 'chunks'
const INDEX_NAME = 'index'
// Of the index, while it is read.
const READ_RECORDS = 1024

/** Chunks of files on a local disk. Synchronous look-ups; reads and writes of the disk never fail whoever asked. */
export class DiskCache {
  /** As they are in force, complete. */
  readonly settings: DiskCacheSettings
  /** As given. */
  readonly hash: Hash
  readonly #table: SlotTable
  readonly #chunks: DeviceFile
  readonly #index: DeviceFile
  readonly #writing = new Set<Promise<void>>()
  #pendingBytes = 0
  #hits = 0
  #misses = 0
  #damaged = 0
  #failures = 0
  #closed = false

  private constructor(options: DiskCacheOptions, settings: DiskCacheSettings, files: DeviceFile[], table: SlotTable) {
    this.settings = settings
    this.hash = options.hash
    ;[this.#chunks, this.#index] = files as [DeviceFile, DeviceFile]
    this.#table = table
  }

  /**
   * What the directory holds of an earlier time is in the cache again, unless chunks had another size.
   *
   * @throws {RangeError} no chunk fits into `bytesMax`
   * @throws {VarveError} as the device does
   */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const { device, directory, bytesMax, hash } = options
    const settings = resolveDiskCacheSettings(options.settings)
    const { chunkBytes } = settings
    const slotCount = Math.floor((bytesMax - RECORD_BYTES) / (chunkBytes + RECORD_BYTES))
    if (!(slotCount >= 1)) throw new RangeError(`bytesMax must hold a chunk of ${chunkBytes} bytes, got ${bytesMax}`)
    await device.makeDirectory(directory)
    const files: DeviceFile[] = []
    try {
      for (const name of [CHUNKS_NAME, INDEX_NAME]) files.push(await openOrCreate(device, joinPath(directory, name)))
      const table = new SlotTable(slotCount)
      await restore(files as [DeviceFile, DeviceFile], table, chunkBytes, hash)
      return new DiskCache(options, settings, files, table)
    } catch (error) {
      for (const file of files) await file.close()
      throw error
    }
  }

  /** What it holds and has done so far. */
  get usage(): DiskCacheUsage {
    return {
      bytes: this.#table.usedCount * this.settings.chunkBytes,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#table.evictions,
      damaged: this.#damaged,
      failures: this.#failures,
    }
  }

  /** Looks without reading: what it finds may yet turn out to be damaged. */
  has({ name }: FileRef, chunk: number): boolean {
    return this.#table.has(name, chunk)
  }

  /** The bytes of a chunk, checked, in memory the caller owns; undefined: they are not here. Never fails. */
  async read(ref: FileRef, chunk: number): Promise<Uint8Array | undefined> {
    const slot = this.#closed ? undefined : this.#table.find(ref.name, chunk, ref.checksum, ref.bytes)
    const content = slot?.content
    if (slot === undefined || content === undefined) {
      this.#misses++
      return undefined
    }
    slot.pins++
    try {
      const bytes = new Uint8Array(content.length)
      const count = await this.#chunks.read(bytes, slot.number * this.settings.chunkBytes)
      if (count === bytes.length && this.#checksum(ref.name, chunk, bytes) === content.checksum) {
        this.#hits++
        return bytes
      }
      this.#damaged++
    } catch {
      this.#failures++
    } finally {
      this.#table.unpin(slot)
    }
    this.#table.drop(slot)
    this.#misses++
    return undefined
  }

  /** Keeps a chunk, in the background, if there is room and time. @param bytes not changed any more */
  keep(ref: FileRef, chunk: number, bytes: Uint8Array): void {
    if (this.#table.has(ref.name, chunk) && this.#table.find(ref.name, chunk, ref.checksum, ref.bytes) !== undefined)
      return
    const slot = this.write(ref.name, chunk, bytes)
    if (slot !== undefined) this.commit(slot, ref)
  }

  /**
   * Writes a chunk of a file that is not finished; nobody finds it before `commit`, and `discard` gives its place back.
   *
   * @param bytes not changed any more
   * @returns undefined where there is no room, or too much is being written
   */
  write(name: FileName, chunk: number, bytes: Uint8Array): WrittenChunk | undefined {
    if (this.#closed || this.#pendingBytes + bytes.length > this.settings.pendingBytesMax) return undefined
    const slot = this.#table.take()
    if (slot === undefined) return undefined
    this.#pendingBytes += bytes.length
    const checksum = this.#checksum(name, chunk, bytes)
    const done = this.#chunks
      .write([bytes], slot.number * this.settings.chunkBytes)
      .then(
        () => true,
        () => {
          this.#failures++
          return false
        },
      )
      .finally(() => (this.#pendingBytes -= bytes.length))
    return { slot, chunk, length: bytes.length, checksum, done }
  }

  /** The file is finished. */
  commit(written: WrittenChunk, ref: FileRef): void {
    const { slot, chunk, length, checksum } = written
    this.#background(async () => {
      try {
        if (!(await written.done)) {
          this.#table.drop(slot)
          return
        }
        const content = { ref, chunk, length, checksum }
        this.#table.occupy(slot, content)
        await this.#index.write([encodeSlot(slot.number, content, this.hash)], (slot.number + 1) * RECORD_BYTES)
      } catch {
        // It is found until the next start, and not after it.
        this.#failures++
      } finally {
        this.#table.unpin(slot)
      }
    })
  }

  /** Gives back what `write` took: for a file that came to nothing. */
  discard({ slot, done }: WrittenChunk): void {
    this.#background(async () => {
      await done
      this.#table.drop(slot)
      this.#table.unpin(slot)
    })
  }

  /** Nothing of this file is found any more. */
  forget(name: FileName): void {
    this.#table.forget(name)
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.idle()
    await this.#chunks.close()
    await this.#index.close()
  }

  #background(work: () => Promise<void>): void {
    const writing = work().finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  #checksum(name: FileName, chunk: number, bytes: Uint8Array): bigint {
    return this.hash.hash64(bytes, chunkSeed(name, chunk, this.hash))
  }
}

/** A chunk of a file that is not finished: to be given to `commit` or to `discard`. */
export interface WrittenChunk {
  /** Where it is: nobody else's until then. */
  readonly slot: Slot
  /** Which part of the file, from 0 on. */
  readonly chunk: number
  /** In bytes. */
  readonly length: number
  /** Of its bytes, as its record will have it. */
  readonly checksum: bigint
  /** False: it could not be written. */
  readonly done: Promise<boolean>
}

async function openOrCreate(device: Device, path: string): Promise<DeviceFile> {
  try {
    return await device.open(path, 'create')
  } catch (error) {
    if (!isCode(error, 'EXISTS')) throw error
    return device.open(path, 'write')
  }
}

/** Reads the index; makes a new one where it is none, or of chunks of another size. */
async function restore(
  [chunks, index]: readonly [DeviceFile, DeviceFile],
  table: SlotTable,
  chunkBytes: number,
  hash: Hash,
): Promise<void> {
  const header = new Uint8Array(RECORD_BYTES)
  const found = (await index.read(header, 0)) === RECORD_BYTES ? decodeHeader(header, hash) : undefined
  if (found?.chunkBytes !== chunkBytes) {
    await index.truncate(0)
    await chunks.truncate(0)
    await index.write([encodeHeader(chunkBytes, hash)], 0)
    return
  }
  // It had more space the last time.
  await shorten(index, (table.slotCount + 1) * RECORD_BYTES)
  await shorten(chunks, table.slotCount * chunkBytes)
  const records = new Uint8Array(READ_RECORDS * RECORD_BYTES)
  for (let slot = 0; slot < table.slotCount;) {
    const wanted = Math.min(READ_RECORDS, table.slotCount - slot)
    const bytes = await index.read(records.subarray(0, wanted * RECORD_BYTES), (slot + 1) * RECORD_BYTES)
    const count = Math.floor(bytes / RECORD_BYTES)
    for (let at = 0; at < count; at++) {
      const record = records.subarray(at * RECORD_BYTES, (at + 1) * RECORD_BYTES)
      table.restore(decodeSlot(slot + at, record, chunkBytes, hash))
    }
    slot += count
    if (count < wanted) break
  }
}

async function shorten(file: DeviceFile, bytesMax: number): Promise<void> {
  if ((await file.size()) > bytesMax) await file.truncate(bytesMax)
}
