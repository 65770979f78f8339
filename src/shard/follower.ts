/**
 * Following a shard that somebody else owns: its head for the files, its journal for what is not in files yet.
 *
 *      read head ──► other files? ──► load manifest ──► pin them ──┐
 *                     └─ the same ─────────────────────────────────┴──► journal from where it ended last ──► show
 *
 * Nothing is taken over and nobody is fenced. What is shown is a prefix of what the owner has written: everything that was
 * acknowledged before the refresh began, and perhaps more, which the owner was about to acknowledge. Where an owner dies,
 * and its successor finds less in the journal than a follower has seen (a machine that lost its power before a sync), the
 * follower goes back with it at its next refresh.
 *
 * Files that the owner drops it also removes, unless a pin keeps them: with one, set before files are shown, by a change
 * of the very head that refers to them, no file that is read is ever missing. Without, a read may find one missing; the
 * next refresh shows the files that took its place.
 */

import { Mutex } from 'async-mutex'
import { abortable } from '../kernel/abortable.ts'
import type { Clock } from '../kernel/clock.ts'
import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import { POSITION_ZERO } from '../kernel/ids.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { closed } from './closed.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import type { ManifestState } from './edit.ts'
import { FollowerPins } from './follower-pins.ts'
import type { HeadContent } from './head-content.ts'
import { loadManifest } from './manifest.ts'
import { requireOpen } from './open-parts.ts'
import { ReadOnlyShard } from './read-only-shard.ts'
import { replayInto } from './replay.ts'
import { resolveShardSettings } from './settings.ts'
import type { Engine, Shard, ShardComponents, ShardOpenOptions } from './shard.ts'
import { readPresentHead, sourceOf } from './stored-head.ts'
import type { PresentHead } from './stored-head.ts'
import { TableStack } from './table-stack.ts'

/** How a shard is followed. */
export interface FollowOptions {
  /**
   * Name of this follower, as only it has it: files it may read are kept by a pin of that name. A follower that died has
   * its pin until one of the same name begins. Default: no pin, and reads that come too late reject with FILE_MISSING.
   */
  readonly pin?: string
  /** Gives up opening, with ABORTED. Default: nobody does. */
  readonly signal?: AbortSignal
}

/** How far a follower has come. */
export interface FollowerState {
  /** Of the owner that it follows. */
  readonly epoch: number
  /** Reads see operations up to here. */
  readonly seqno: Seqno
  /** Milliseconds: everything acknowledged longer ago than that is seen. */
  readonly staleMs: number
  /** The owner has other files now, which are not shown while somebody reads as of an earlier moment: a scan, a snapshot. */
  readonly held: boolean
}

/** Where the journal has been read up to. */
interface Tail {
  readonly end: JournalPosition
  readonly seqnoLast: Seqno
}

/** Reads a shard that somebody else writes. Refreshes of one follower happen one after the other. */
export class Follower<Operation, Table extends Memtable<Operation>, Shape> {
  readonly #components: ShardComponents
  readonly #engine: Engine<Operation, Table, Shape>
  readonly #clock: Clock
  readonly #pins: FollowerPins | undefined
  readonly #turn = new Mutex()
  readonly #shard: ReadOnlyShard<Operation, Table, Shape>
  /** The content whose manifest is shown. */
  #content: HeadContent | undefined
  /** Of the memtables that are shown; undefined: they have something in them of which nobody knows how far it goes. */
  #tail: Tail | undefined
  #freshAt = 0
  #held = false
  #closed = false

  /** @throws {VarveError} NOT_FOUND, INCOMPATIBLE, HEAD_CORRUPT, JOURNAL_CORRUPT, FILE_MISSING, and what components throw */
  static async start<Operation, Table extends Memtable<Operation>, Shape>(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    options: FollowOptions & Pick<ShardOpenOptions, 'settings'> = {},
  ): Promise<Follower<Operation, Table, Shape>> {
    await requireOpen(components.files, [])
    const follower = new Follower(components, engine, options)
    try {
      await follower.refresh(options.signal)
      return follower
    } catch (error) {
      // Behind what was given up, and may still set a pin.
      const ended = follower.#close().catch(() => undefined)
      if (options.signal?.aborted !== true) await ended
      throw error
    }
  }

  private constructor(
    components: ShardComponents,
    engine: Engine<Operation, Table, Shape>,
    options: FollowOptions & Pick<ShardOpenOptions, 'settings'>,
  ) {
    this.#components = components
    this.#engine = engine
    this.#clock = components.clock
    const { shard, heads } = components
    this.#pins = options.pin === undefined ? undefined : new FollowerPins(shard, heads, options.pin)
    const tables = new TableStack<Table>(engine.memtable(), POSITION_ZERO)
    const shown = { epoch: 0, manifest: EMPTY_MANIFEST, tables, seqnoLast: EMPTY_MANIFEST.seqnoLast }
    const settings = resolveShardSettings(options.settings)
    this.#shard = new ReadOnlyShard(components, engine, settings, shown, () => this.#close())
  }

  /** The shard as its engine reads it. Closing it ends the follower. */
  get shard(): Shard<Operation, Table, Shape> {
    return this.#shard
  }

  /** As of the last refresh; `staleMs` as of now. */
  get state(): FollowerState {
    return {
      epoch: this.#shard.shown.epoch,
      seqno: this.#shard.visible,
      staleMs: this.#clock.monotonic() - this.#freshAt,
      held: this.#held,
    }
  }

  /**
   * Shows what the owner has acknowledged before this call. Errors as `start`; what was shown stays shown. Where the signal
   * aborts, the refresh may still come about: the next one waits for what it had begun.
   */
  refresh(signal?: AbortSignal): Promise<FollowerState> {
    const refreshing = this.#turn.runExclusive(async () => {
      await this.#refresh(signal)
      return this.state
    })
    return abortable(refreshing, signal)
  }

  async #refresh(signal: AbortSignal | undefined): Promise<void> {
    const look = async (): Promise<{ readonly startedAt: number; readonly head: PresentHead }> => {
      throwIfAborted(signal)
      if (this.#closed) throw closed()
      const startedAt = this.#clock.monotonic()
      return { startedAt, head: await readPresentHead(this.#components, this.#engine) }
    }
    let looked = await look()
    for (;;) {
      const { startedAt, head } = looked
      let failure: VarveError | undefined
      try {
        if (await this.#follow(head)) {
          this.#freshAt = this.#held ? this.#freshAt : startedAt
          return
        }
      } catch (error) {
        if (!(error instanceof VarveError) || error.kind !== 'corrupt') throw error
        failure = error
      }
      // The owner goes on meanwhile: what its newer head does not need it has removed. Only a head that is read after that
      // tells, and a pin, ours too, is no commit of its.
      looked = await look()
      if (failure !== undefined && isSameCommit(head.content, looked.head.content)) throw failure
    }
  }

  /** Shows what `head` says; false: it is not the newest any more. */
  async #follow(head: PresentHead): Promise<boolean> {
    const { content } = head
    const { shown } = this.#shard
    const isSame = this.#content !== undefined && isSameCommit(this.#content, content)
    const manifest = isSame ? shown.manifest : await this.#load(content)
    const isNew = !sameFiles(manifest, shown.manifest)
    if (isNew && this.#shard.isHeld) return this.#hold()
    const names = [...manifest.files.keys()]
    if (isNew && this.#pins !== undefined && !(await this.#pins.keep(head, names))) return false
    const { tables, tail } = await this.#replay(content, manifest)
    if ((isNew || tables !== shown.tables) && this.#shard.isHeld) {
      // Somebody has begun to read as of a moment while this was under way.
      if (tables !== shown.tables) for (const table of tables.list()) table.release()
      return this.#hold()
    }
    this.#content = content
    this.#tail = tail
    this.#held = false
    const next = {
      epoch: content.epoch,
      manifest: isNew ? manifest : shown.manifest,
      tables,
      seqnoLast: tail.seqnoLast,
    }
    this.#shard.show(next, (files) => this.#pins?.release(files.map(({ ref }) => ref.name)))
    return true
  }

  #hold(): true {
    this.#held = true
    return true
  }

  #load(content: HeadContent): Promise<ManifestState> {
    const { files, hash } = this.#components
    return loadManifest(content, files, hash, sourceOf(this.#components))
  }

  /** Memtables with everything from the manifest's end to the journal's. */
  async #replay(
    content: HeadContent,
    { replayFrom, seqnoLast }: ManifestState,
  ): Promise<{ readonly tables: TableStack<Table>; readonly tail: Tail }> {
    const { journal: journals, shard } = this.#components
    const { shown } = this.#shard
    // Another owner may have found less in the journal. What is in files by now must not be in memory as well; a memtable
    // without versions would show readers what comes next.
    const goesOn =
      this.#content?.epoch === content.epoch &&
      shown.manifest.replayFrom === replayFrom &&
      shown.tables.active.supports.versions
    const known = goesOn ? this.#tail : undefined
    const tables = known === undefined ? new TableStack<Table>(this.#engine.memtable(), replayFrom) : shown.tables
    const from = known ?? { end: replayFrom, seqnoLast }
    if (known !== undefined) this.#tail = undefined
    const reader = await journals.openReadOnly(shard, content.journalState, replayFrom)
    try {
      const { seqnoLast: last, end } = await replayInto(
        { journal: reader, engine: this.#engine, clock: this.#components.clock, shown: known !== undefined },
        tables,
        from.end,
        from.seqnoLast,
        Infinity,
      )
      const tail = { end, seqnoLast: last }
      if (known !== undefined) this.#tail = tail
      return { tables, tail }
    } finally {
      await reader.close()
    }
  }

  async #close(): Promise<void> {
    this.#closed = true
    await this.#turn.runExclusive(() => this.#pins?.clear())
  }
}

function isSameCommit(a: HeadContent, b: HeadContent): boolean {
  return a.epoch === b.epoch && a.commit === b.commit
}

function sameFiles(a: ManifestState, b: ManifestState): boolean {
  if (a === b) return true
  if (a.replayFrom !== b.replayFrom || a.files.size !== b.files.size) return false
  for (const [name, file] of a.files) if (b.files.get(name)?.group !== file.group) return false
  return true
}
