/**
 * Open tables: keeps readers by file, and closes idle ones when too many are open or the system has no descriptor left.
 *
 * Which goes first is a clock over the open handles: using one marks it, so that a lookup does not reorder anything.
 */

import { assert } from '../kernel/assert.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { FileName } from '../kernel/ids.ts'
import type { FileReader, FileStore } from '../fs/fs.ts'
import type { TableFormat, TableReader, TableReaderOptions } from './sst.ts'
import { resolveTableCacheSettings } from './table-cache-settings.ts'
import type { TableCacheSettings } from './table-cache-settings.ts'
import { TableHandle } from './table-handle.ts'
import type { TableOpener } from './table-handle.ts'

/** Of one cache, at one moment. Counts are since it was made. */
export interface TableCacheStatistics {
  /** Files it knows, open or not. */
  readonly handleCount: number
  /** Readers that are open. */
  readonly openCount: number
  /** Readers that were opened. */
  readonly opens: number
  /** Readers closed to make room. */
  readonly evictions: number
}

/** Readers of the tables of one store, which stays the caller's. One thread's. */
export class TableCache implements TableOpener {
  /** As they are in force, complete. */
  readonly settings: TableCacheSettings
  readonly #files: FileStore
  readonly #options: TableReaderOptions
  readonly #handles = new Map<FileName, TableHandle>()
  /** Handles with a reader, in the order of the clock. */
  readonly #open = new Set<TableHandle>()
  /** Opens under way: they count as open already. */
  #openingCount = 0
  #opens = 0
  #evictions = 0
  #closed = false

  /** @throws {TypeError | RangeError} settings */
  constructor(files: FileStore, options: TableReaderOptions, settings: Partial<TableCacheSettings> = {}) {
    this.settings = resolveTableCacheSettings(settings)
    this.#files = files
    this.#options = options
  }

  /** What it holds and has done so far. */
  get statistics(): TableCacheStatistics {
    return {
      handleCount: this.#handles.size,
      openCount: this.#open.size,
      opens: this.#opens,
      evictions: this.#evictions,
    }
  }

  /** The handle of a file, made when first asked for. Opens nothing. */
  handle(ref: FileRef, format: TableFormat): TableHandle {
    this.#checkOpen()
    let handle = this.#handles.get(ref.name)
    if (handle === undefined) {
      handle = new TableHandle(ref, format, this)
      this.#handles.set(ref.name, handle)
    }
    assert(handle.ref.bytes === ref.bytes && handle.format === format, 'one file name stands for two files')
    return handle
  }

  /**
   * Gives up a file that is going to be deleted: closes its reader, drops its blocks. Cursors still over it fail with
   * CLOSED. Resolves when it is closed.
   */
  async forget(name: FileName): Promise<void> {
    const handle = this.#handles.get(name)
    if (handle === undefined) return
    this.#handles.delete(name)
    handle.forget()
    await this.#closeReader(handle)
  }

  /** Closes every reader. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    const names = [...this.#handles.keys()]
    await Promise.all(names.map(async (name) => await this.forget(name)))
  }

  async open(handle: TableHandle): Promise<TableReader> {
    this.#checkOpen()
    this.#openingCount++
    try {
      await this.#makeRoom()
      for (;;) {
        try {
          const file = await this.#files.open(handle.ref)
          this.#opens++
          return handle.format.reader(file, this.#options)
        } catch (error) {
          if (!isCode(error, 'OUT_OF_FILES')) throw error
          // Others may be using up the descriptors: give back some, and give up when there are none to give.
          if (!(await this.#closeIdle(this.#retreat()))) throw error
        }
      }
    } finally {
      this.#openingCount--
    }
  }

  /** Twin of `open`. @throws {VarveError} WOULD_BLOCK — the store has no synchronous reads */
  openSync(handle: TableHandle): TableReader {
    this.#checkOpen()
    this.#openingCount++
    try {
      // Nothing here can wait for a file to be closed: a store that closes at once has room for the second attempt.
      void this.#makeRoom()
      let file: FileReader
      try {
        file = this.#files.openSync(handle.ref)
      } catch (error) {
        if (!isCode(error, 'OUT_OF_FILES')) throw error
        void this.#closeIdle(this.#retreat())
        file = this.#files.openSync(handle.ref)
      }
      this.#opens++
      return handle.format.reader(file, this.#options)
    } finally {
      this.#openingCount--
    }
  }

  kept(handle: TableHandle): void {
    this.#open.add(handle)
  }

  async #makeRoom(): Promise<void> {
    const excess = this.#open.size + this.#openingCount - this.settings.openFilesMax
    if (excess > 0) await this.#closeIdle(excess)
  }

  /** How many to close when the system has no descriptor left. */
  #retreat(): number {
    return Math.ceil(this.#open.size / 8)
  }

  /** Closes up to `count` idle readers, those not used lately first. False when there was none. */
  async #closeIdle(count: number): Promise<boolean> {
    const closing: Promise<void>[] = []
    // Twice around: the first may only take marks away.
    for (let steps = this.#open.size * 2; steps > 0 && closing.length < count; steps--) {
      const [handle] = this.#open
      if (handle === undefined) break
      this.#open.delete(handle)
      if (handle.isIdle && !handle.touched) {
        this.#evictions++
        closing.push(this.#closeReader(handle))
      } else {
        handle.touched = false
        this.#open.add(handle)
      }
    }
    // A file that was only read loses nothing when closing it fails, and whoever wants to open another is not to blame.
    await Promise.allSettled(closing)
    return closing.length > 0
  }

  async #closeReader(handle: TableHandle): Promise<void> {
    this.#open.delete(handle)
    await handle.detach()?.close()
  }

  #checkOpen(): void {
    if (this.#closed) throw new VarveError('CLOSED', 'the table cache is closed')
  }
}
