/**
 * A shard that this process owns: the write path, the views and the background loops, put together.
 *
 * It knows operations, memtables, files and seqnos, and nothing else.
 */

import type { VarveError } from '../kernel/errors.ts'
import type { Seqno, ShardId } from '../kernel/ids.ts'
import { Pace } from '../kernel/pace.ts'
import type { Durability, Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { withFlushed, writeCheckpoint, writeClone } from './checkpoint.ts'
import type { Origin } from './checkpoint.ts'
import { closed, closes } from './closed.ts'
import type { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'
import type { ManifestState } from './edit.ts'
import { FileChanges } from './file-changes.ts'
import { FileRemover } from './file-remover.ts'
import { Flusher } from './flusher.ts'
import { HandOvers } from './hand-over.ts'
import { inOrder } from './in-order.ts'
import { JobRunner } from './job-runner.ts'
import { ImpatientFiles, ImpatientHeads } from './impatient-stores.ts'
import { KeepAlive } from './keep-alive.ts'
import { ManifestLog } from './manifest-log.ts'
import { OpeningFlush } from './opening-flush.ts'
import { OfferedRungs } from './offered-rungs.ts'
import { OwnerDoubt, graver } from './owner-doubt.ts'
import { PinnedSeqnos } from './pinned-seqnos.ts'
import { Progress } from './progress.ts'
import { SpaceGuard } from './space-guard.ts'
import { rebuildTables } from './rebuild.ts'
import { Rebuilder } from './rebuilder.ts'
import type { Change, CheckpointTarget, Engine, HandOver, Purpose, Shard, ShardComponents, Underway } from './shard.ts'
import type { ShardSettings } from './settings.ts'
import type { ShardStatistics } from './statistics.ts'
import type { FrozenTable, TableStack } from './table-stack.ts'
import { Views, fileBytes } from './version.ts'
import { statisticsOf } from './statistics.ts'
import { VersionCommits } from './version-commits.ts'
import type { View } from './version.ts'
import { WritePath } from './write-path.ts'
import { inVain } from './write-refusal.ts'

/** What opening a shard has found. */
export interface OpenedShard<Table extends Memtable<never>, Shape> {
  readonly committer: Committer
  readonly journal: Journal
  readonly manifest: ManifestState
  readonly shape: Shape | undefined
  readonly tables: TableStack<Table>
  readonly seqnoLast: Seqno
}

export class OwnedShard<Operation, Table extends Memtable<Operation>, Shape> implements Shard<Operation, Table, Shape> {
  readonly readOnly = false
  readonly settings: ShardSettings
  readonly #components: ShardComponents
  readonly #engine: Engine<Operation, Table, Shape>
  readonly #committer: Committer
  readonly #journal: Journal
  readonly #rungs: OfferedRungs
  readonly #tables: TableStack<Table>
  readonly #views: Views<Table, Shape>
  readonly #writes: WritePath<Operation, Table>
  readonly #jobs: JobRunner
  readonly #files: FileChanges<Table, Shape>
  readonly #flusher: Flusher<Table>
  readonly #compactor: Compactor
  readonly #remover: FileRemover
  readonly #space: SpaceGuard
  readonly #pins = new PinnedSeqnos()
  readonly #manifest: ManifestLog
  readonly #handOvers: HandOvers<View<Table, Shape>>
  readonly #progress: Progress
  readonly #opening: OpeningFlush
  readonly #doubt: OwnerDoubt
  readonly #rebuilder: Rebuilder
  #failure: VarveError | undefined
  /** Aborts when closing has waited long enough for files and heads. */
  readonly #impatience = new AbortController()
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
    this.#committer = opened.committer
    this.#journal = opened.journal
    this.#rungs = new OfferedRungs(components.journal.supports)
    this.#tables = opened.tables
    const [{ shard: id, clock }, { content }] = [components, opened.committer]
    const { signal } = this.#impatience
    const place = {
      files: new ImpatientFiles(components.files, signal),
      heads: new ImpatientHeads(components.heads, signal),
    }
    opened.committer.endWith(signal)
    this.#doubt = new OwnerDoubt(opened.committer, (reason) => this.#fail(reason))
    this.#manifest = new ManifestLog(id, place.files, opened.committer, opened.manifest)
    const keepAlive = new KeepAlive(clock)
    this.#progress = new Progress(keepAlive)
    this.#space = new SpaceGuard(components.reserve, clock, {
      fileBytes: () => fileBytes(this.view.version),
      refuse: (reason) => this.#writes.refuse(reason),
      retry: () => [this.#flusher, this.#compactor].forEach((loop) => loop.retryNow()),
      tick: () => this.#clear(),
    })
    const found = [...opened.manifest.files.values()]
    this.#views = new Views(this.#tables.list(), { files: found, shape: engine.shape(found, opened.shape) })
    const awaited = () => ({ flush: this.#flusher, compaction: this.#compactor, rebuild: this.#rebuilder })
    this.#writes = new WritePath(
      engine,
      this.#journal,
      settings,
      {
        freeze: () => this.#freeze(),
        rebuild: (error) => this.#rebuilder.begin(this.#space.met(error)),
        doubts: () => void this.#doubt.ask(),
        refused: () => this.#space.check(),
        inVain: (holds) => inVain(holds, awaited(), settings.stallMs),
        advanced: () => this.#progress.wake(),
        keepAlive,
        pace: new Pace(clock),
        now: () => clock.monotonic(),
        turn: () => clock.turn(),
      },
      { table: this.#tables.active, seqno: opened.seqnoLast },
    )
    this.#jobs = new JobRunner({ ...components, ...place }, content, (jobs) => engine.verify(jobs), signal)
    this.#remover = new FileRemover(id, place, () => this.#committer.content.pins)
    const [{ journal, tables }, manifest, views, remover] = [opened, this.#manifest, this.#views, this.#remover]
    const parts = { engine, journal, clock, manifest, views, tables }
    this.#rebuilder = new Rebuilder(clock, settings.retryDelayMs, {
      rebuild: async () => this.#rebuilt(await rebuildTables(parts, this.#writes.visible)),
      stalled: (error) => this.#stalled(error),
      failed: async (error) => {
        await this.#doubt.ask()
        this.#fail(error)
      },
    })
    const commits = new VersionCommits({ engine, manifest, views, tables, remover })
    const [jobs, pins, space] = [this.#jobs, this.#pins, this.#space]
    this.#files = new FileChanges(
      { engine, clock, jobs, journal, rungs: this.#rungs, manifest, commits, tables, views, pins, space },
      {
        committed: () => this.#committed(),
        truncated: () => {
          if (space.full) this.#compactor.retryNow()
        },
      },
    )
    this.#handOvers = new HandOvers(id, opened.committer, this.#manifest, this.#views, {
      check: () => this.#throwIfUnable(),
      flush: () => this.flush(() => this.#writes.hold('hand-over')),
      resumed: () => this.#writes.release('hand-over'),
      ended: (reason) => this.#fail(reason),
    })
    this.#opening = new OpeningFlush({
      clock,
      progress: this.#progress,
      freeze: () => (this.#freezeWritten(), this.#tables.newestFrozen?.positionLimit),
      flushedTo: () => this.#manifest.state.replayFrom,
      isStuck: () => (this.#failure ?? this.#writes.failure ?? this.#flusher.stalledBy) !== undefined,
      truncate: () => this.#journal.truncate(this.#manifest.state.replayFrom),
    })
    this.#flusher = new Flusher(
      {
        nextFrozen: () => this.#tables.oldestFrozen,
        untilVisible: (slot) => this.#untilVisible(slot),
        writeFiles: (slot) => this.#files.writeFiles(slot),
        commitFlush: (slot, files) => this.#files.commitFlush(slot, files),
        stalled: (error) => this.#stalled(error),
        failed: (error) => this.#fail(error),
      },
      clock,
      settings.retryDelayMs,
    )
    this.#compactor = new Compactor(
      {
        choose: (underway) => this.#files.choose(underway),
        rewriteFiles: (change) => this.#files.rewriteFiles(change),
        commitChange: (change, added) => this.#files.commitChange(change, added),
        stalled: (error) => this.#stalled(error),
        failed: (error) => this.#fail(error),
      },
      clock,
      settings.compactionsMax,
      settings.retryDelayMs,
    )
  }

  /** Starts what runs in the background. */
  async start(): Promise<void> {
    this.#holdIfBehind()
    await this.#space.start()
    this.#flusher.kick()
    this.#compactor.kick()
    const { epoch } = this.#committer.content
    await this.#opening.begin(this.id, epoch, this.#manifest.state.files.keys())
    this.#remover.removeOrphans(epoch, this.#committer.content, this.#manifest.state).catch(() => {
      // Listing failed: the orphans are still there for the next owner.
    })
  }

  get id(): ShardComponents['shard'] {
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

  checkpoint(target: CheckpointTarget): Promise<void> {
    return withFlushed(this, this.#views, this.#manifest, (manifest) => writeCheckpoint(this.#origin(manifest), target))
  }

  clone(clone: ShardId): Promise<void> {
    return withFlushed(this, this.#views, this.#manifest, (manifest) =>
      writeClone(this.#origin(manifest), this.#committer, clone),
    )
  }

  handOver(): Promise<HandOver> {
    return this.#handOvers.begin()
  }

  async barrier(): Promise<void> {
    this.#throwIfUnable()
    await this.#doubt.about(this.#journal.barrier())
  }

  statistics(): ShardStatistics {
    const [view, tables, journal, writes] = [this.view, this.#tables, this.#journal, this.#writes]
    const [jobs, space, views, pins] = [this.#jobs, this.#space, this.#views, this.#pins]
    const [{ epoch }, { counted }, { reserve }] = [this.#committer.content, this.#files, this.#components]
    return statisticsOf({ epoch, view, tables, journal, writes, jobs, space, views, pins, counted, reserve })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#writes.endGroup()
    const reason = closed()
    const patience = this.#components.clock.after(this.settings.closeMs, () => this.#impatience.abort(reason))
    await this.#opening.end()
    this.#space.stop()
    const stopped = Promise.all([this.#flusher.stop(), this.#compactor.stop()])
    this.#jobs.cancelAll(reason)
    // Group in flight settle with the journal's close; what is queued never reached it.
    this.#progress.wake()
    await stopped
    await this.#rebuilder.stop()
    try {
      const question = { clock: this.#components.clock, ms: this.settings.closeMs }
      if (this.#failure === undefined)
        await closes(this.id, this.#doubt.about(this.#rungs.secure(this.#journal), question))
    } finally {
      await this.#journal.close()
      this.#writes.fail(reason)
      this.#progress.wake()
      await this.#remover.idle()
      patience.cancel()
    }
  }

  #freeze(): void {
    const next = this.#engine.memtable()
    this.#tables.freeze(next, this.#journal.end, this.#writes.applied)
    this.#writes.table = next
    this.#views.advance(this.#tables.list(), this.view.version)
    this.#holdIfBehind()
    this.#flusher.kick()
  }

  /** As `inOrder`. Rejects also where what holds writes back has failed. */
  async #inOrder<T>(work: () => T): Promise<T> {
    this.#throwIfUnable()
    const check = (): void =>
      this.#throwIfUnable(this.#flusher.stalledBy ?? this.#compactor.stalledBy ?? this.#rebuilder.stalledBy)
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

  #origin(manifest: ManifestState): Origin {
    return { shard: this.id, place: this.#components, head: this.#committer.content, manifest }
  }

  /** A flush or a change has failed: who waits for it hears why. */
  #stalled(error: unknown): void {
    void this.#space.met(error)
    this.#writes.refuseInVain()
    this.#progress.wake()
    void this.#doubt.ask()
  }

  /** Deletions free nothing before they are compacted; nor does the journal, where it could not be truncated. */
  #clear(): void {
    if (this.#failure !== undefined || this.#rebuilder.running) return
    if (this.#writes.freed()) this.#freezeWritten()
    this.#journal.truncate(this.#manifest.state.replayFrom).catch(() => undefined)
  }

  /** The memtables have what is in the journal, and nothing of the groups that were refused. */
  #rebuilt(seqnoLast: Seqno): void {
    // Frozen tables that had to be flushed may have gone, and nobody would let the writes behind them go on.
    this.#holdIfBehind()
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
