/**
 * How the files of an owned shard come and go: what flush and compaction want done, done by jobs and committed.
 *
 *      frozen table ──► writeFiles ──► commitFlush ───┐
 *                                                     ├──► head, version, journal
 *      choose ──► rewriteFiles ──► commitChange ──────┘
 *
 * When to begin, and again after a failure, is up to the flusher and the compactor.
 */

import type { Clock } from '../kernel/clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { requireFiles, toEdit } from './change-edit.ts'
import { Counters } from './counters.ts'
import type { Counted } from './counters.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { JobRunner } from './job-runner.ts'
import type { ManifestLog } from './manifest-log.ts'
import type { OfferedRungs } from './offered-rungs.ts'
import type { PinnedSeqnos } from './pinned-seqnos.ts'
import type { Change, Engine, Rewrite, Underway, VersionFile } from './shard.ts'
import type { SpaceGuard } from './space-guard.ts'
import type { FrozenTable, TableStack } from './table-stack.ts'
import type { VersionCommits } from './version-commits.ts'
import type { Views } from './version.ts'

export interface FileChangeParts<Table extends Memtable<never>, Shape> {
  readonly engine: Pick<Engine<never, Table, Shape>, 'choose' | 'flush' | 'rewrite'>
  readonly clock: Clock
  readonly jobs: JobRunner
  readonly journal: Journal
  readonly rungs: OfferedRungs
  readonly manifest: ManifestLog
  readonly commits: VersionCommits<Table, Shape>
  readonly tables: TableStack<Table>
  readonly views: Views<Table, Shape>
  readonly pins: PinnedSeqnos
  readonly space: SpaceGuard
}

/** What the shard around them does about them. */
export interface FileChangeHost {
  /** There is a new version. */
  committed(): void
  /** The journal has given back what a flush has put into files. */
  truncated(): void
}

export class FileChanges<Table extends Memtable<never>, Shape> {
  readonly #parts: FileChangeParts<Table, Shape>
  readonly #host: FileChangeHost
  readonly #counters = new Counters()

  constructor(parts: FileChangeParts<Table, Shape>, host: FileChangeHost) {
    this.#parts = parts
    this.#host = host
  }

  get counted(): Counted {
    return this.#counters.counted
  }

  /** What the engine's policy wants done next. */
  choose(underway: Underway): readonly Change[] {
    const { engine, clock, views, tables, pins, space } = this.#parts
    const { version } = views.current
    const chosen = engine.choose({
      shape: version.shape,
      files: version.files,
      ...underway,
      pinnedSeqnos: pins.list(),
      now: clock.now(),
      debt: tables.frozenCount,
      outOfSpace: space.full,
    })
    // What little space there is goes to flushes first, which give back their journal, and then to one rewrite at a time.
    const crowded = space.full && (tables.frozenCount > 0 || underway.changes.length > 0)
    return crowded ? chosen.filter(({ type }) => type !== 'rewrite') : chosen
  }

  async writeFiles(slot: FrozenTable<Table>): Promise<readonly VersionFile[]> {
    const { engine, jobs, pins } = this.#parts
    const pinned = pins.list()
    return jobs.run(engine.flush(slot.table, pinned), pinned)
  }

  async rewriteFiles(change: Rewrite): Promise<readonly VersionFile[]> {
    const { engine, jobs, manifest, pins, views } = this.#parts
    requireFiles(change, manifest.state.files)
    const pinned = pins.list()
    return jobs.run(engine.rewrite(change, views.current.version.shape, pinned), pinned)
  }

  async commitFlush(slot: FrozenTable<Table>, added: readonly VersionFile[]): Promise<void> {
    const { journal, rungs, manifest, tables } = this.#parts
    await rungs.secureReplaced(journal)
    await this.#commit(
      () => ({ removed: [], added, replayFrom: slot.positionLimit, seqnoLast: slot.seqnoLast }),
      () => {
        tables.shift(slot)
        this.#counters.flushed(added)
        return () => slot.table.release()
      },
    )
    await journal.truncate(manifest.state.replayFrom)
    this.#host.truncated()
  }

  /** A journal that was full before a memtable was: what it has is frozen, for files to take its place. */
  emptyJournal(freeze: () => void): void {
    const { journal, manifest, space, tables } = this.#parts
    if (!space.takeCrowded() || tables.frozenCount > 0) return
    if (tables.active.count > 0) freeze()
    // All of it is in files: truncation may have had no space, either.
    else journal.truncate(manifest.state.replayFrom).catch(() => undefined)
  }

  async commitChange(change: Change, added: readonly VersionFile[]): Promise<void> {
    await this.#commit(
      (manifest) => toEdit(change, added, manifest),
      () => {
        this.#counters.changed(change, added)
        return () => undefined
      },
    )
  }

  async #commit(makeEdit: (manifest: ManifestState) => Edit, committed: () => () => void): Promise<void> {
    await this.#parts.commits.commit(makeEdit, committed)
    this.#host.committed()
  }
}
