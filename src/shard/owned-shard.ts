/**
 * A shard that this process owns: the write path, the views and the background loops, put together.
 * It knows operations, memtables, files and seqnos, and nothing else.
 */

import type { VarveError } from '../kernel/errors.ts'
import type { Seqno, ShardId } from '../kernel/ids.ts'
import type { AbortOptions } from '../fs/fs.ts'
import type { Durability, Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { withFlushed, writeCheckpoint } from './checkpoint.ts'
import type { Origin } from './checkpoint.ts'
import { writeClone } from './clone.ts'
import { closed, closes } from './closed.ts'
import type { Compactor } from './compactor.ts'
import type { Flusher } from './flusher.ts'
import { inOrder } from './in-order.ts'
import type { ManifestLog } from './manifest-log.ts'
import type { OfferedRungs } from './offered-rungs.ts'
import { graver } from './owner-doubt.ts'
import type { PinnedSeqnos } from './pinned-seqnos.ts'
import type { Progress } from './progress.ts'
import type { Change, CheckpointTarget, Engine, HandOver, Purpose, Shard, ShardComponents, Underway } from './shard.ts'
import type { ShardSettings } from './settings.ts'
import { ShardParts } from './shard-parts.ts'
import type { OpenedShard, PartsHost } from './shard-parts.ts'
import type { SpaceGuard } from './space-guard.ts'
import { statisticsOf } from './statistics.ts'
import type { ShardStatistics } from './statistics.ts'
import type { FrozenTable, TableStack } from './table-stack.ts'
import type { View, Views } from './version.ts'
import type { WritePath } from './write-path.ts'

export class OwnedShard<Operation, Table extends Memtable<Operation>, Shape> implements Shard<Operation, Table, Shape> {
  readonly readOnly = false
  readonly settings: ShardSettings
  readonly #components: ShardComponents
  readonly #engine: Engine<Operation, Table, Shape>
  readonly #parts: ShardParts<Operation, Table, Shape>
  // Parts that nearly every call needs.
  readonly #journal: Journal
  readonly #rungs: OfferedRungs
  readonly #tables: TableStack<Table>
  readonly #views: Views<Table, Shape>
  readonly #writes: WritePath<Operation, Table>
  readonly #flusher: Flusher<Table>
  readonly #compactor: Compactor
  readonly #space: SpaceGuard
  readonly #pins: PinnedSeqnos
  readonly #manifest: ManifestLog
  readonly #progress: Progress
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    settings: ShardSettings,
    opened: OpenedShard<Table, Shape>,
  ) {
    this.settings = settings
    this.#components = components
    this.#engine = engine
    this.#parts = new ShardParts(components, engine, settings, opened, this.#host())
    this.#journal = opened.journal
    this.#tables = opened.tables
    this.#rungs = this.#parts.rungs
    this.#views = this.#parts.views
    this.#writes = this.#parts.writes
    this.#flusher = this.#parts.flusher
    this.#compactor = this.#parts.compactor
    this.#space = this.#parts.space
    this.#pins = this.#parts.pins
    this.#manifest = this.#parts.manifest
    this.#progress = this.#parts.progress
  }

  #host(): PartsHost<Table> {
    return {
      failure: () => this.#failure,
      check: () => this.#throwIfUnable(),
      fail: (error) => this.#fail(error),
      freeze: () => this.#freeze(),
      freezeWritten: () => this.#freezeWritten(),
      flush: (first) => this.flush(first),
      untilVisible: (slot) => this.#untilVisible(slot),
      committed: () => this.#committed(),
      stalled: (error) => this.#stalled(error),
      rebuilt: (seqnoLast) => this.#rebuilt(seqnoLast),
      makeSpace: () => this.#makeSpace(),
    }
  }

  /** Starts what runs in the background. */
  async start(): Promise<void> {
    this.#holdIfBehind()
    await this.#parts.startSpace()
    this.#flusher.kick()
    this.#compactor.kick()
    const { committer, opening, remover } = this.#parts
    const { epoch } = committer.content
    await opening.begin(this.id, epoch, this.#manifest.state.files.keys())
    // Where listing fails, the orphans are still there for the next owner.
    remover.removeOrphans(epoch, committer.content, this.#manifest.state, this.#components.hash).catch(() => undefined)
  }

  get id(): ShardId {
    return this.#components.shard
  }

  get view(): View<Table, Shape> {
    return this.#views.current
  }

  get visible(): Seqno {
    return this.#writes.visible
  }

  write(operation: Operation, durability: Durability, purpose: Purpose = 'store'): Promise<void> {
    const refusal = this.#closing === undefined ? this.#rungs.refusal(durability) : closed()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#writes.write(operation, durability, purpose)
  }

  writeBatch(operations: readonly Operation[], durability: Durability, purpose: Purpose = 'store'): Promise<void> {
    const refusal = this.#closing === undefined ? this.#rungs.refusal(durability) : closed()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#writes.writeBatch(operations, durability, purpose)
  }

  pin(): View<Table, Shape> {
    return this.#views.pin()
  }

  unpin(view: View<Table, Shape>): void {
    this.#views.unpin(view)
  }

  async freeze(): Promise<View<Table, Shape>> {
    const view = await this.#inOrder(() => {
      this.#freezeWritten()
      return this.#views.pinFrozen()
    })
    try {
      await this.#writes.untilVisible()
      return view
    } catch (error) {
      this.#views.unpin(view)
      throw error
    }
  }

  pinSeqno(seqno: Seqno = this.#writes.visible): Seqno {
    this.#pins.pin(seqno)
    return seqno
  }

  unpinSeqno(seqno: Seqno): void {
    this.#pins.unpin(seqno)
  }

  /** @param first done in the turn after which nothing more belongs to what is flushed */
  async flush(first?: () => void): Promise<void> {
    const last = await this.#inOrder(() => {
      first?.()
      this.#freezeWritten()
      return this.#tables.newestFrozen
    })
    if (last === undefined) return
    await this.#writes.untilVisible()
    await this.#progress.until(
      () => this.#manifest.state.replayFrom >= last.positionLimit,
      () => this.#throwIfUnable(this.#writes.failure ?? this.#flusher.stalledBy),
    )
  }

  async apply(choose: (underway: Underway) => Change | 'blocked' | undefined): Promise<void> {
    this.#throwIfUnable()
    await this.#compactor.apply(choose)
  }

  async settle(): Promise<void> {
    this.#throwIfUnable()
    await this.#compactor.settle()
  }

  async sync(): Promise<void> {
    const refusal = this.#rungs.refusal('synced')
    if (refusal !== undefined) throw refusal
    await this.#inOrder(() => this.#writes.endGroup())
    await this.#journal.sync()
  }

  checkpoint(target: CheckpointTarget, options: AbortOptions = {}): Promise<void> {
    const copy = (origin: Origin): Promise<void> => writeCheckpoint(origin, target, options)
    return withFlushed(this, this.#views, this.#origin, copy, options)
  }

  clone(clone: ShardId): Promise<void> {
    return withFlushed(this, this.#views, this.#origin, (origin) => writeClone(origin, this.#parts.committer, clone))
  }

  handOver(): Promise<HandOver> {
    return this.#parts.handOvers.begin()
  }

  async barrier(): Promise<void> {
    this.#throwIfUnable()
    await this.#parts.doubt.about(this.#journal.barrier())
  }

  statistics(): ShardStatistics {
    const [view, tables, journal, writes] = [this.view, this.#tables, this.#journal, this.#writes]
    const [jobs, space, views, pins] = [this.#parts.jobs, this.#space, this.#views, this.#pins]
    const [{ epoch }, { counted }, { reserve }] = [this.#parts.committer.content, this.#parts.files, this.#components]
    return statisticsOf({ epoch, view, tables, journal, writes, jobs, space, views, pins, counted, reserve })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#writes.endGroup()
    const reason = closed()
    const patience = this.#components.clock.after(this.settings.closeMs, () => this.#parts.impatience.abort(reason))
    await this.#parts.opening.end()
    this.#parts.stopSpace()
    const stopped = Promise.all([this.#flusher.stop(), this.#compactor.stop()])
    this.#parts.jobs.cancelAll(reason)
    // Group in flight settle with the journal's close; what is queued never reached it.
    this.#progress.wake()
    await stopped
    await this.#parts.rebuilder.stop()
    try {
      const question = { clock: this.#components.clock, ms: this.settings.closeMs }
      if (this.#failure === undefined)
        await closes(this.id, this.#parts.doubt.about(this.#rungs.secure(this.#journal), question))
    } finally {
      await this.#journal.close()
      this.#writes.fail(reason)
      this.#progress.wake()
      await this.#parts.remover.idle()
      patience.cancel()
    }
  }

  #freeze(seqnoLast = this.#writes.applied): void {
    const next = this.#engine.memtable()
    this.#tables.freeze(next, this.#journal.end, seqnoLast)
    this.#writes.table = next
    this.#views.advance(this.#tables.list(), this.view.version)
    this.#holdIfBehind()
    this.#flusher.kick()
  }

  /** As `inOrder`. Rejects also where what holds writes back has failed. */
  async #inOrder<T>(work: () => T): Promise<T> {
    this.#throwIfUnable()
    const check = (): void =>
      this.#throwIfUnable(this.#flusher.stalledBy ?? this.#compactor.stalledBy ?? this.#parts.rebuilder.stalledBy)
    return inOrder(this.#writes, this.#progress, check, work)
  }

  #freezeWritten(): void {
    // In the same turn as the freeze: a table must end where a group does, or replay would start inside one.
    this.#writes.endGroup()
    if (this.#tables.active.count > 0) this.#freeze()
  }

  #holdIfBehind(): void {
    if (this.#tables.frozenCount > this.settings.frozenMax) this.#writes.hold('flush')
    else this.#writes.release('flush')
    if (this.#engine.pressure(this.view.version.shape) === 'stop') this.#writes.hold('compaction')
    else this.#writes.release('compaction')
  }

  async #untilVisible(slot: FrozenTable<Table>): Promise<void> {
    await this.#progress.until(
      () => this.#writes.visible >= slot.seqnoLast || this.#tables.oldestFrozen !== slot,
      () => this.#throwIfUnable(this.#writes.failure),
    )
  }

  /** There is a new version: what waited for it goes on. */
  #committed(): void {
    this.#holdIfBehind()
    this.#progress.wake()
    this.#space.check()
    this.#space.grow()
    this.#compactor.kick()
  }

  readonly #origin = (): Origin => {
    const { content } = this.#parts.committer
    return { shard: this.id, place: this.#components, head: content, manifest: this.#manifest.state }
  }

  /** A flush or a change has failed: who waits for it hears why. */
  #stalled(error: unknown): void {
    void this.#space.met(error)
    this.#writes.refuseInVain()
    this.#progress.wake()
    void this.#parts.doubt.ask()
  }

  /** Deletions free nothing before they are compacted; nor does the journal, where it could not be truncated. */
  #makeSpace(): void {
    if (this.#failure !== undefined || this.#parts.rebuilder.running) return
    if (this.#writes.freed()) this.#freezeWritten()
    this.#journal.truncate(this.#manifest.state.replayFrom).catch(() => undefined)
  }

  /** The memtables have what is in the journal, and nothing of the groups that were refused. */
  #rebuilt(seqnoLast: Seqno): void {
    // Frozen tables that had to be flushed may have gone, and nobody would let the writes behind them go on.
    this.#holdIfBehind()
    // Before any write goes on: a table with one that is refused again is made anew, and not flushed.
    this.#parts.files.emptyJournal(() => this.#freeze(seqnoLast))
    this.#writes.rebuilt(this.#tables.active, seqnoLast)
    this.#progress.wake()
  }

  #fail(error: VarveError): void {
    this.#failure = graver(this.#failure, error)
    this.#writes.fail(error)
    this.#progress.wake()
  }

  #throwIfUnable(stalled?: Error): void {
    if (this.#closing !== undefined) throw closed()
    if (this.#failure !== undefined) throw this.#failure
    if (stalled !== undefined) throw stalled
  }
}
