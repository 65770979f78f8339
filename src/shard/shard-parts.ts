/**
 * What an owned shard is made of, and what each part is told of the others.
 *
 * Parts know each other by what they may ask, and ask late: a part that is made first may name one that is made last.
 */

import type { VarveError } from '../kernel/errors.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { Pace } from '../kernel/pace.ts'
import type { Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'
import type { ManifestState } from './edit.ts'
import { FileChanges } from './file-changes.ts'
import { FileRemover } from './file-remover.ts'
import { Flusher } from './flusher.ts'
import { HandOvers } from './hand-over.ts'
import { ImpatientFiles, ImpatientHeads } from './impatient-stores.ts'
import { JobRunner } from './job-runner.ts'
import { KeepAlive } from './keep-alive.ts'
import { ManifestLog } from './manifest-log.ts'
import { OfferedRungs } from './offered-rungs.ts'
import { OpeningFlush } from './opening-flush.ts'
import { OwnerDoubt } from './owner-doubt.ts'
import { PinnedSeqnos } from './pinned-seqnos.ts'
import { Progress } from './progress.ts'
import { QuietJournal } from './quiet-journal.ts'
import { rebuildTables } from './rebuild.ts'
import { Rebuilder } from './rebuilder.ts'
import type { ShardSettings } from './settings.ts'
import type { Engine, ShardComponents, ShardPlace } from './shard.ts'
import { SpaceGuard } from './space-guard.ts'
import type { FrozenTable, TableStack } from './table-stack.ts'
import { VersionCommits } from './version-commits.ts'
import { Views, fileBytes } from './version.ts'
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

/** What parts ask of the shard that they make up. */
export interface PartsHost<Table> {
  /** Why the shard takes nothing more. */
  failure(): VarveError | undefined
  /** Throws where it takes nothing more. */
  check(): void
  fail(error: VarveError): void
  freeze(): void
  /** Freezes what has been written, if anything has. */
  freezeWritten(): void
  /** As `Shard.flush`. @param first done in the turn after which nothing more belongs to what is flushed */
  flush(first: () => void): Promise<void>
  untilVisible(slot: FrozenTable<Table>): Promise<void>
  /** There is a new version. */
  committed(): void
  /** A flush or a change has failed, and will be tried again. */
  stalled(error: unknown): void
  /** The memtables were built anew from the journal. */
  rebuilt(seqnoLast: Seqno): void
  /** The disk is full: time to make space. */
  makeSpace(): void
}

export class ShardParts<Operation, Table extends Memtable<Operation>, Shape> {
  readonly committer: Committer
  /** Aborts when closing has waited long enough for files and heads. */
  readonly impatience = new AbortController()
  readonly pins = new PinnedSeqnos()
  readonly rungs: OfferedRungs
  readonly doubt: OwnerDoubt
  readonly manifest: ManifestLog
  readonly progress: Progress
  readonly space: SpaceGuard
  readonly views: Views<Table, Shape>
  readonly writes: WritePath<Operation, Table>
  readonly jobs: JobRunner
  readonly remover: FileRemover
  readonly rebuilder: Rebuilder
  readonly files: FileChanges<Table, Shape>
  readonly handOvers: HandOvers<View<Table, Shape>>
  readonly opening: OpeningFlush
  readonly flusher: Flusher<Table>
  readonly compactor: Compactor
  readonly #quiet: QuietJournal
  readonly #components: ShardComponents
  readonly #engine: Engine<Operation, Table, Shape>
  readonly #settings: ShardSettings
  readonly #opened: OpenedShard<Table, Shape>
  readonly #host: PartsHost<Table>
  readonly #keepAlive: KeepAlive
  /** Files and heads that are not waited for longer than `impatience` lasts. */
  readonly #place: ShardPlace

  constructor(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    settings: ShardSettings,
    opened: OpenedShard<Table, Shape>,
    host: PartsHost<Table>,
  ) {
    this.#components = components
    this.#engine = engine
    this.#settings = settings
    this.#opened = opened
    this.committer = opened.committer
    this.#host = host
    const { shard: id, clock } = components
    const { signal } = this.impatience
    this.#place = {
      files: new ImpatientFiles(components.files, signal),
      heads: new ImpatientHeads(components.heads, signal),
    }
    opened.committer.endWith(signal)
    this.rungs = new OfferedRungs(components.journal.supports)
    this.doubt = new OwnerDoubt(opened.committer, (reason) => host.fail(reason))
    this.manifest = new ManifestLog(id, this.#place.files, opened.committer, opened.manifest)
    this.#keepAlive = new KeepAlive(clock)
    this.progress = new Progress(this.#keepAlive)
    this.space = this.#makeSpace()
    this.views = this.#makeViews()
    this.writes = this.#makeWrites()
    const verify: Engine<Operation, Table, Shape>['verify'] = (jobs) => engine.verify(jobs)
    this.jobs = new JobRunner({ ...components, ...this.#place }, opened.committer.content, verify, signal)
    this.remover = new FileRemover(id, this.#place, () => opened.committer.content.pins)
    this.rebuilder = this.#makeRebuilder()
    this.files = this.#makeFiles()
    this.handOvers = this.#makeHandOvers()
    this.opening = this.#makeOpening()
    this.flusher = this.#makeFlusher()
    this.compactor = this.#makeCompactor()
    this.#quiet = this.#makeQuiet()
  }

  /** Looks after space from now on, here and where the journal is. */
  async startSpace(): Promise<void> {
    await this.space.start()
    this.#quiet.start()
  }

  stopSpace(): void {
    this.space.stop()
    this.#quiet.stop()
  }

  #makeSpace(): SpaceGuard {
    return new SpaceGuard(this.#components.reserve, this.#components.clock, {
      fileBytes: () => fileBytes(this.views.current.version),
      refuse: (reason) => this.writes.refuse(reason),
      retry: () => [this.flusher, this.compactor].forEach((loop) => loop.retryNow()),
      renew: () => [this.flusher, this.compactor].forEach((loop) => loop.renew()),
      tick: () => this.#host.makeSpace(),
    })
  }

  #makeViews(): Views<Table, Shape> {
    const { tables, manifest, shape } = this.#opened
    const files = [...manifest.files.values()]
    return new Views(tables.list(), { files, shape: this.#engine.shape(files, shape) })
  }

  #makeWrites(): WritePath<Operation, Table> {
    const [engine, settings, opened] = [this.#engine, this.#settings, this.#opened]
    const { clock } = this.#components
    const awaited = () => ({ flush: this.flusher, compaction: this.compactor, rebuild: this.rebuilder })
    return new WritePath(
      engine,
      opened.journal,
      settings,
      {
        freeze: () => this.#host.freeze(),
        rebuild: (error) => this.rebuilder.begin(this.space.met(error)),
        doubts: () => void this.doubt.ask(),
        refused: () => this.space.check(),
        inVain: (holds) => inVain(holds, awaited(), settings.stallMs),
        advanced: () => this.progress.wake(),
        keepAlive: this.#keepAlive,
        pace: new Pace(clock),
        now: () => clock.monotonic(),
        turn: () => clock.turn(),
      },
      { table: opened.tables.active, seqno: opened.seqnoLast },
    )
  }

  #makeRebuilder(): Rebuilder {
    const { manifest, views } = this
    const engine = this.#engine
    const { journal, tables } = this.#opened
    const { clock } = this.#components
    const parts = { engine, journal, clock, manifest, views, tables }
    return new Rebuilder(clock, this.#settings.retryDelayMs, {
      rebuild: async () => this.#host.rebuilt(await rebuildTables(parts, this.writes.visible)),
      stalled: (error) => this.#host.stalled(error),
      failed: async (error) => {
        await this.doubt.ask()
        this.#host.fail(error)
      },
    })
  }

  #makeFiles(): FileChanges<Table, Shape> {
    const { jobs, rungs, manifest, views, pins, space, remover } = this
    const engine = this.#engine
    const { journal, tables } = this.#opened
    const { clock } = this.#components
    const commits = new VersionCommits({ engine, manifest, views, tables, remover })
    return new FileChanges(
      { engine, clock, jobs, journal, rungs, manifest, commits, tables, views, pins, space },
      {
        committed: () => this.#host.committed(),
        truncated: () => {
          if (space.full) this.compactor.retryNow()
        },
      },
    )
  }

  #makeHandOvers(): HandOvers<View<Table, Shape>> {
    return new HandOvers(this.#components.shard, this.committer, this.manifest, this.views, {
      check: () => this.#host.check(),
      flush: () => this.#host.flush(() => this.writes.hold('hand-over')),
      resumed: () => this.writes.release('hand-over'),
      ended: (reason) => this.#host.fail(reason),
    })
  }

  #makeOpening(): OpeningFlush {
    const { journal, tables } = this.#opened
    return new OpeningFlush({
      clock: this.#components.clock,
      progress: this.progress,
      freeze: () => (this.#host.freezeWritten(), tables.newestFrozen?.positionLimit),
      flushedTo: () => this.manifest.state.replayFrom,
      isStuck: () => (this.#host.failure() ?? this.writes.failure ?? this.flusher.stalledBy) !== undefined,
      truncate: () => journal.truncate(this.manifest.state.replayFrom),
    })
  }

  #makeFlusher(): Flusher<Table> {
    return new Flusher(
      {
        nextFrozen: () => this.#opened.tables.oldestFrozen,
        untilVisible: (slot) => this.#host.untilVisible(slot),
        writeFiles: (slot) => this.files.writeFiles(slot),
        commitFlush: (slot, files) => this.files.commitFlush(slot, files),
        stalled: (error) => this.#host.stalled(error),
        failed: (error) => this.#host.fail(error),
      },
      this.#components.clock,
      this.#settings.retryDelayMs,
    )
  }

  #makeCompactor(): Compactor {
    return new Compactor(
      {
        choose: (underway) => this.files.choose(underway),
        rewriteFiles: (change) => this.doubt.aboutRefused(this.files.rewriteFiles(change)),
        commitChange: (change, added) => this.files.commitChange(change, added),
        stalled: (error) => this.#host.stalled(error),
        failed: (error) => this.#host.fail(error),
      },
      this.#components.clock,
      this.#settings.compactionsMax,
      this.#settings.retryDelayMs,
    )
  }

  #makeQuiet(): QuietJournal {
    const { journal } = this.#opened
    const replayFrom = (): JournalPosition => this.manifest.state.replayFrom
    return new QuietJournal(journal, this.#components.clock, {
      replayFrom,
      giveBack: async () => {
        await this.#host.flush(() => undefined)
        await journal.truncate(replayFrom())
      },
    })
  }
}
