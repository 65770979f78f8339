/**
 * A shard read where it is: no ownership, no lock, nothing changed. Shows the state of the moment it was opened, or what a
 * follower has shown it since.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { closed } from './closed.ts'
import type { ManifestState } from './edit.ts'
import type { Engine, Shard, ShardComponents, VersionFile } from './shard.ts'
import type { ShardSettings } from './settings.ts'
import type { ShardStatistics } from './statistics.ts'
import { PinnedSeqnos } from './pinned-seqnos.ts'
import type { TableStack } from './table-stack.ts'
import { Views } from './version.ts'
import type { View } from './version.ts'

/** What a reader has found: files, and memtables with what the journal had beyond them. */
export interface ShownState<Table extends Memtable<never>> {
  readonly epoch: number
  readonly manifest: ManifestState
  readonly tables: TableStack<Table>
  readonly seqnoLast: Seqno
}

export class ReadOnlyShard<Operation, Table extends Memtable<Operation>, Shape> implements Shard<
  Operation,
  Table,
  Shape
> {
  readonly readOnly = true
  readonly id: ShardComponents['shard']
  readonly settings: ShardSettings
  readonly #engine: Engine<Operation, Table, Shape>
  readonly #close: () => Promise<void>
  readonly #views: Views<Table, Shape>
  readonly #pins = new PinnedSeqnos()
  #shown: ShownState<Table>
  #closing: Promise<void> | undefined

  constructor(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    settings: ShardSettings,
    shown: ShownState<Table>,
    close: () => Promise<void>,
  ) {
    this.id = components.shard
    this.settings = settings
    this.#engine = engine
    this.#close = close
    this.#shown = shown
    const files = [...shown.manifest.files.values()]
    this.#views = new Views(shown.tables.list(), { files, shape: engine.shape(files, undefined) })
  }

  /** Reads see operations up to here. */
  get visible(): Seqno {
    return this.#shown.seqnoLast
  }

  get shown(): ShownState<Table> {
    return this.#shown
  }

  /** Somebody reads as of a seqno: what they may need must stay in view. */
  get isHeld(): boolean {
    return this.#pins.list().length > 0
  }

  /**
   * Shows another state from now on: the same with a longer journal, or other files as well.
   *
   * @param released runs when no view is left that sees `files`, which are not in the new state
   */
  show(state: ShownState<Table>, released: (files: readonly VersionFile[]) => void): void {
    const { manifest, tables } = this.#shown
    this.#shown = state
    if (state.manifest === manifest && state.tables === tables) return
    const files = [...state.manifest.files.values()]
    const gone = [...manifest.files.values()].filter(({ ref }) => !state.manifest.files.has(ref.name))
    const shape = this.#engine.shape(files, this.view.version.shape)
    this.#views.advance(state.tables.list(), { files, shape }, [
      () => {
        if (state.tables !== tables) for (const table of tables.list()) table.release()
        for (const file of gone) this.#engine.retire(file)
        released(gone)
      },
    ])
  }

  get view(): View<Table, Shape> {
    return this.#views.current
  }

  pin(): View<Table, Shape> {
    return this.#views.pin()
  }

  unpin(view: View<Table, Shape>): void {
    this.#views.unpin(view)
  }

  freeze(): Promise<View<Table, Shape>> {
    // Nothing is ever written here.
    return Promise.resolve(this.pin())
  }

  pinSeqno(seqno: Seqno = this.visible): Seqno {
    this.#pins.pin(seqno)
    return seqno
  }

  unpinSeqno(seqno: Seqno): void {
    this.#pins.unpin(seqno)
  }

  write(): Promise<void> {
    return this.#refuse()
  }

  writeBatch(): Promise<void> {
    return this.#refuse()
  }

  flush(): Promise<void> {
    return this.#refuse()
  }

  apply(): Promise<void> {
    return this.#refuse()
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  sync(): Promise<void> {
    return this.#refuse()
  }

  checkpoint(): Promise<void> {
    return this.#refuse()
  }

  clone(): Promise<void> {
    return this.#refuse()
  }

  handOver(): Promise<never> {
    return this.#refuse()
  }

  barrier(): Promise<void> {
    return this.#refuse()
  }

  statistics(): ShardStatistics {
    const { files } = this.view.version
    return {
      epoch: this.#shown.epoch,
      files: files.length,
      fileBytes: files.reduce((sum, file) => sum + file.ref.bytes, 0),
      memtableBytes: this.#shown.tables.bytes,
      frozenTables: this.#shown.tables.frozenCount,
      journalBytes: 0,
      queuedBytes: 0,
      writtenBytes: 0,
      flushedBytes: 0,
      compactedBytes: 0,
      flushes: 0,
      compactions: 0,
      moves: 0,
      jobsRunning: 0,
      jobFailures: 0,
      rejectedAnswers: 0,
      distrustsWorkers: false,
      heldMs: 0,
      outOfSpace: false,
      reserveBytes: 0,
      pinnedViews: this.#views.pinnedCount,
      pinnedSeqnos: this.#pins.list().length,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #refuse(): Promise<never> {
    const reason =
      this.#closing === undefined ? new VarveError('READ_ONLY', `shard ${this.id} was opened read-only`) : closed()
    return Promise.reject(reason)
  }
}
