/** A shard read where it is: no ownership, no lock, nothing changed. Shows the state of the moment it was opened. */

import { VarveError } from '../kernel/errors.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { JournalReader } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type { ManifestState } from './edit.ts'
import type { Engine, Shard, ShardComponents, ShardSettings, ShardStatistics } from './shard.ts'
import type { TableStack } from './table-stack.ts'
import { Views } from './version.ts'
import type { View } from './version.ts'

export class ReadOnlyShard<Operation, Table extends Memtable<Operation>, Shape> implements Shard<
  Operation,
  Table,
  Shape
> {
  readonly readOnly = true
  readonly id: ShardComponents['shard']
  readonly settings: ShardSettings
  readonly visible: Seqno
  readonly #epoch: number
  readonly #journal: JournalReader
  readonly #tables: TableStack<Table>
  readonly #views: Views<Table, Shape>
  #closing: Promise<void> | undefined

  constructor(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    settings: ShardSettings,
    opened: {
      readonly epoch: number
      readonly journal: JournalReader
      readonly manifest: ManifestState
      readonly tables: TableStack<Table>
      readonly seqnoLast: Seqno
    },
  ) {
    this.id = components.shard
    this.settings = settings
    this.visible = opened.seqnoLast
    this.#epoch = opened.epoch
    this.#journal = opened.journal
    this.#tables = opened.tables
    const files = [...opened.manifest.files.values()]
    this.#views = new Views(opened.tables.list(), { files, shape: engine.shape(files, undefined) })
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
    return seqno
  }

  unpinSeqno(): void {
    // Nothing is ever dropped here.
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

  barrier(): Promise<void> {
    return this.#refuse()
  }

  statistics(): ShardStatistics {
    const { files } = this.view.version
    return {
      epoch: this.#epoch,
      files: files.length,
      fileBytes: files.reduce((sum, file) => sum + file.ref.bytes, 0),
      memtableBytes: this.#tables.bytes,
      frozenTables: this.#tables.frozenCount,
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
      heldMs: 0,
      outOfSpace: false,
      reserveBytes: 0,
      pinnedViews: this.#views.pinnedCount,
      pinnedSeqnos: 0,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#journal.close()
    return this.#closing
  }

  #refuse(): Promise<never> {
    const reason =
      this.#closing === undefined
        ? new VarveError('READ_ONLY', `shard ${this.id} was opened read-only`)
        : new VarveError('CLOSED', 'the shard is closed')
    return Promise.reject(reason)
  }
}
