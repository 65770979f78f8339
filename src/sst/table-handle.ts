/**
 * One file of a table cache: what an engine keeps beside the file in its version, so that a lookup reaches the reader by
 * reading a field.
 */

import { assert } from '../kernel/assert.ts'
import type { Pending } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { BlockFetch, BlockSource } from './block-fetch.ts'
import type { TableFormat, TableReader } from './sst.ts'
import type { TableSource } from './table-source.ts'

/** What a handle asks of its cache. */
export interface TableOpener {
  open(handle: TableHandle): Promise<TableReader>
  openSync(handle: TableHandle): TableReader
  /** The handle has kept a reader that was opened for it. */
  kept(handle: TableHandle): void
}

const OPEN = 0

/** One file and its reader, where it is open. Made by `TableCache.handle`; engines keep it as long as the file. */
export class TableHandle implements TableSource, BlockSource {
  /** The file. */
  readonly ref: FileRef
  /** In what it is written. */
  readonly format: TableFormat
  /** Used since the cache last looked. */
  touched = false
  readonly #opener: TableOpener
  #reader: TableReader | undefined = undefined
  #opening: Promise<TableReader> | undefined = undefined
  #retainCount = 0
  #forgotten = false

  /** Use `TableCache.handle`. */
  constructor(ref: FileRef, format: TableFormat, opener: TableOpener) {
    this.ref = ref
    this.format = format
    this.#opener = opener
  }

  /** @throws {VarveError} CLOSED — the cache has forgotten the file */
  reader(fetch: BlockFetch): TableReader | Pending {
    const reader = this.#reader
    if (reader !== undefined) {
      this.touched = true
      return reader
    }
    this.#checkKnown()
    fetch.want(this, OPEN)
    return PENDING
  }

  /** Its reader is open now. */
  get isOpen(): boolean {
    return this.#reader !== undefined
  }

  /** True when it is open and nobody needs it to stay so. */
  get isIdle(): boolean {
    return this.#reader !== undefined && this.#retainCount === 0
  }

  keepOpen(fetch: BlockFetch): void {
    assert(this.#reader !== undefined, 'there is no reader to keep open')
    fetch.keep(this, OPEN, this.#reader)
  }

  retain(): void {
    this.#retainCount++
  }

  /** Takes back one `retain`. */
  release(): void {
    assert(this.#retainCount > 0, 'released more often than retained')
    this.#retainCount--
  }

  async load(): Promise<object> {
    this.#checkKnown()
    if (this.#reader !== undefined) return this.#reader
    this.#opening ??= this.#open()
    return await this.#opening
  }

  /** Keeps what it opens once for all who wait: the last of them may go on after it has been closed again. */
  async #open(): Promise<TableReader> {
    try {
      return this.#keep(await this.#opener.open(this))
    } finally {
      this.#opening = undefined
    }
  }

  loadSync(): object {
    this.#checkKnown()
    return this.#reader ?? this.#keep(this.#opener.openSync(this))
  }

  /** Opening a file may wait. */
  loadNow(): object | undefined {
    this.#checkKnown()
    return this.#reader
  }

  hold(): void {
    this.retain()
  }

  /** Takes back one `hold`. */
  letGo(): void {
    this.release()
  }

  /** Takes the reader away, to be closed. */
  detach(): TableReader | undefined {
    const reader = this.#reader
    this.#reader = undefined
    return reader
  }

  /** No more readers. */
  forget(): void {
    this.#forgotten = true
  }

  #keep(reader: TableReader): TableReader {
    if (this.#reader === reader) return reader
    if (this.#reader !== undefined || this.#forgotten) {
      // Opened twice (synchronously while asynchronously on its way), or for nothing.
      void reader.close().catch(ignored)
      this.#checkKnown()
      return this.#reader as TableReader
    }
    this.#reader = reader
    this.touched = true
    this.#opener.kept(this)
    return reader
  }

  #checkKnown(): void {
    if (this.#forgotten) throw new VarveError('CLOSED', `the table cache has forgotten ${this.ref.name}`)
  }
}

function ignored(): void {
  // A reader nobody uses failed to close: there is no one to tell and nothing to lose.
}
