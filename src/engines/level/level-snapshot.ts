/** An explicit snapshot: the engine's, with abstract-level's counting of who still reads from it. */

import { AbstractSnapshot } from 'abstract-level'
import type { KvSnapshot } from '../kv/kv.ts'
import { LevelError } from './level-error.ts'

/** With the constructor that abstract-level's types leave out: the options name the owner, which closes the snapshot. */
const SnapshotBase = AbstractSnapshot as unknown as new (options: object) => AbstractSnapshot
// Shared: most reads are without a snapshot.
const NO_SNAPSHOT: { readonly snapshot?: KvSnapshot } = Object.freeze({})

export class LevelSnapshot extends SnapshotBase {
  readonly #kv: KvSnapshot
  #open = true

  constructor(kv: KvSnapshot, options: object) {
    super(options)
    this.#kv = kv
  }

  /**
   * The engine's snapshot in the options of a read.
   *
   * @throws {TypeError} not a snapshot of a VarveLevel
   * @throws {LevelError} LEVEL_SNAPSHOT_NOT_OPEN — abstract-level checks reads, but not the creation of iterators
   */
  static in(options: { readonly snapshot?: unknown }): { readonly snapshot?: KvSnapshot } {
    const { snapshot } = options
    if (snapshot === undefined || snapshot === null) return NO_SNAPSHOT
    if (!(snapshot instanceof LevelSnapshot)) throw new TypeError('snapshot must come from snapshot() of this database')
    if (!snapshot.#open) throw new LevelError('LEVEL_SNAPSHOT_NOT_OPEN', 'Snapshot is not open: it was closed')
    return { snapshot: snapshot.#kv }
  }

  protected _close(): Promise<void> {
    this.#open = false
    this.#kv.close()
    return Promise.resolve()
  }
}
