/**
 * Versions and views: what a reader sees, immutable once made.
 *
 * A version is the set of files; a view is a version and the memtables over it. Every freeze, flush and compaction makes
 * a new view. A reader that may outlive the current turn pins the view it reads; memtables and files that a later view
 * dropped are released when no pinned view can still see them.
 */

import { assert } from '../kernel/assert.ts'
import type { VersionFile } from './shard.ts'

/** The files of a shard at one moment. */
export interface Version<Shape> {
  /** In the manifest's order. */
  readonly files: readonly VersionFile[]
  /** What the engine derived from them. */
  readonly shape: Shape
}

/** What a reader sees: pinned, it stays readable. */
export interface View<Table, Shape> {
  /** Grows with every view of a shard. */
  readonly id: number
  /** Newest first: the active one, except in what `Shard.freeze` gives, then the frozen ones. */
  readonly tables: readonly Table[]
  /** The files under the memtables. */
  readonly version: Version<Shape>
}

/** What its files take. */
export function fileBytes(version: Version<unknown>): number {
  return version.files.reduce((sum, file) => sum + file.ref.bytes, 0)
}

/** The current view, the pinned ones, and what waits for them. */
export class Views<Table, Shape> {
  #current: View<Table, Shape>
  /** Pins of each view that has any, in the order of ids. */
  readonly #pins = new Map<number, number>()
  /** What was dropped, with the id of the last view that saw it, in order. */
  readonly #dropped: { readonly lastView: number; readonly release: () => void }[] = []

  constructor(tables: readonly Table[], version: Version<Shape>) {
    this.#current = Object.freeze({ id: 1, tables: Object.freeze([...tables]), version })
  }

  get current(): View<Table, Shape> {
    return this.#current
  }

  /** Makes `tables` over `version` the current view. Each of `releases` runs once no view that saw its object is left. */
  advance(tables: readonly Table[], version: Version<Shape>, releases: readonly (() => void)[] = []): void {
    const lastView = this.#current.id
    this.#current = Object.freeze({ id: lastView + 1, tables: Object.freeze([...tables]), version })
    for (const release of releases) this.#dropped.push({ lastView, release })
    this.#releaseUnseen()
  }

  /** The current view, held until `unpin`. */
  pin(): View<Table, Shape> {
    const view = this.#current
    this.#pins.set(view.id, (this.#pins.get(view.id) ?? 0) + 1)
    return view
  }

  /** The current view without its active table: what no write changes any more. Held until `unpin`. */
  pinFrozen(): View<Table, Shape> {
    const { id, tables, version } = this.pin()
    return Object.freeze({ id, tables: Object.freeze(tables.slice(1)), version })
  }

  unpin(view: View<Table, Shape>): void {
    const pins = this.#pins.get(view.id)
    assert(pins !== undefined, 'view unpinned more often than pinned')
    if (pins > 1) {
      this.#pins.set(view.id, pins - 1)
    } else {
      this.#pins.delete(view.id)
      this.#releaseUnseen()
    }
  }

  /** Views pinned, for statistics and for `close`. */
  get pinnedCount(): number {
    return this.#pins.size
  }

  #releaseUnseen(): void {
    if (this.#dropped.length === 0) return
    let oldest = this.#current.id
    for (const id of this.#pins.keys()) oldest = Math.min(oldest, id)
    const kept = this.#dropped.findIndex(({ lastView }) => lastView >= oldest)
    const released = this.#dropped.splice(0, kept < 0 ? this.#dropped.length : kept)
    for (const { release } of released) release()
  }
}
