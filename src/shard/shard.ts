/**
 * The engine port: what a domain engine supplies to the generic shard.
 *
 * The shard knows operations, memtables, files and seqnos; it does not know what a key is. Crash safety, fencing, flush
 * scheduling, manifests, snapshots and back-pressure are its part; data structure, file formats, policy and reads are
 * the engine's.
 */

import type { Clock } from '../kernel/clock.ts'
import type { Decoder, Encoder } from '../kernel/codec.ts'
import type { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName, Seqno, ShardId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { AbortOptions, FileStore, HeadStore, SpaceReserve } from '../fs/fs.ts'
import type { Durability, JournalSystem } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type {
  FormatReference,
  HandlerReference,
  JobRequirements,
  JobResult,
  JobScheduler,
  JobSpec,
} from '../jobs/jobs.ts'
import type { ManifestState } from './edit.ts'
import type { HeadContent } from './head-content.ts'
import type { ShardSettings } from './settings.ts'
import type { ShardStatistics } from './statistics.ts'
import type { TableLoad } from './table-load.ts'
import type { View } from './version.ts'

/** The parts a shard is composed of. Whoever opens the shard owns them and closes them after it. */
export interface ShardComponents extends ShardPlace {
  /** Whose shard it is: one name, one shard, ever. */
  readonly shard: ShardId
  /** Where it is, as messages say it: a directory, an address. */
  readonly location?: string
  /** Where writes are until they are in files. */
  readonly journal: JournalSystem
  /** Runs flushes and compactions. */
  readonly jobs: JobScheduler
  /** Runs jobs whose inputs are in memory, where `jobs` takes no shared memory. */
  readonly localJobs?: JobScheduler
  /** Given back when the disk is full, so that space can be freed. Shards of one place share it. */
  readonly reserve?: SpaceReserve
  /** Measures delays and patience. */
  readonly clock: Clock
  /** Makes names that nobody else has. */
  readonly random: Random
  /** Checksums of heads and manifests. */
  readonly hash: Hash
}

/**
 * A domain engine.
 *
 * @typeParam Operation one write, as the engine's API makes it
 * @typeParam Table its memtable
 * @typeParam Shape what it derives from the files of a version to read them: levels, runs, windows
 */
export interface Engine<Operation, Table extends Memtable<Operation>, Shape> {
  /** Recorded in the manifest, which refuses to open with another. */
  readonly name: string
  /** Of its operations and of what it describes; recorded, and a newer one is refused. */
  readonly version: number
  /** Further choices that stored data depends on (a key order, a partitioning): recorded and compared like the name. */
  readonly identity: Readonly<Record<string, string>>
  /** Appends one operation, self-delimiting, to a journal payload. Synchronous; cannot fail for an accepted operation. */
  encode(operation: Operation, into: Encoder): void
  /** Reads what `encode` wrote. The result may borrow from the payload and be reused by the next call. */
  decode(from: Decoder): Operation
  /** For replay, where there is one: a way to fill `table`, which is empty, faster than by `decode` and `apply`. */
  load?(table: Table): TableLoad | undefined
  /** An empty memtable. */
  memtable(): Table
  /** How to turn a frozen memtable into files, as `rewrite`; no plan where it holds nothing worth a file. */
  flush(table: Table, pinnedSeqnos: readonly Seqno[]): readonly JobPlan[]
  /** Derives what reads need. Pure but for the reuse of what `previous` derived for the same files. */
  shape(files: readonly VersionFile[], previous: Shape | undefined): Shape
  /** A pure function of its arguments: what to do next, most urgent first; nothing where all is well. */
  choose(input: ChooseInput<Shape>): readonly Change[]
  /**
   * How to run a Rewrite that `choose`, or a caller of `Shard.apply`, asked for: one job, or several that divide the work
   * among them, such as by ranges of keys. They may run at the same time; what all of them have made replaces the inputs
   * in one commit, and where one fails nothing does.
   */
  rewrite(change: Rewrite, shape: Shape, pinnedSeqnos: readonly Seqno[]): readonly JobPlan[]
  /** How far compaction lags behind. Writes wait while it says `stop`. */
  pressure(shape: Shape): Pressure
  /**
   * Checks the meaning of what the jobs of one change, in the order of their plans, have answered, before it is committed.
   * The shard has already checked names, attempt and lengths. @throws {VarveError} JOB_REJECTED
   */
  verify(jobs: readonly AnsweredJob[]): Promise<void>
  /** The file is no longer part of any version a reader can see: let go of readers and caches. */
  retire(file: VersionFile): void
}

/** Whether writes may go on. */
export type Pressure = 'none' | 'stop'

/** The engine's part of a job specification; the shard adds identity, attempt and names. */
export interface JobPlan {
  /** What runs. */
  readonly handler: HandlerReference
  /** Files of the version, or what `handOver` gave. */
  readonly inputs: JobSpec['inputs']
  /** The engine's own, structured-clonable. */
  readonly parameters: unknown
  /** What it takes. */
  readonly requirements: JobRequirements
  /** As `JobSpec.priority`: 0 and below is urgent. */
  readonly priority: number
  /** As `JobSpec.stuckMs`, in milliseconds. Default: that of the scheduler. */
  readonly stuckMs?: number
}

/** One job of a change, done but not believed. */
export interface AnsweredJob extends JobResult {
  /** As it was submitted. */
  readonly spec: JobSpec
}

/** A file as the manifest keeps it. */
export interface VersionFile {
  /** The content. */
  readonly ref: FileRef
  /** Who can read it. */
  readonly format: FormatReference
  /** The engine's grouping: a level, a run, a window. */
  readonly group: number
  /** Of the oldest operation in it. */
  readonly seqnoFirst: Seqno
  /** Of the newest operation in it. */
  readonly seqnoLast: Seqno
  /** What the job that wrote the file says of it. Opaque to the shard. */
  readonly meta: Uint8Array
  /** How this shard sees the file, such as a part of its key range. Opaque to the shard; empty at first. */
  readonly view: Uint8Array
}

/** What compaction is at. */
export interface Underway {
  /** Inputs of the changes: off limits. */
  readonly running: ReadonlySet<FileName>
  /** Their outputs are still to come. */
  readonly changes: readonly Change[]
}

/** What the engine decides on: one moment. */
export interface ChooseInput<Shape> extends Underway {
  /** What the engine derived from `files`. */
  readonly shape: Shape
  /** Of the newest version. */
  readonly files: readonly VersionFile[]
  /** Seqnos that readers hold, ascending: what they see must survive. */
  readonly pinnedSeqnos: readonly Seqno[]
  /** Wall clock, milliseconds: for windows and expiry, never for safety. */
  readonly now: number
  /** Frozen memtables that wait to be flushed. */
  readonly debt: number
  /** The disk is full: rewrite what frees space, though it would not be worth it otherwise. */
  readonly outOfSpace: boolean
}

/** Gives files another group without touching them. */
export interface Move {
  readonly type: 'move'
  /** Of the version, none of them in a change under way. */
  readonly files: readonly FileName[]
  /** The group they get. */
  readonly group: number
}

/** Replaces files by what a job makes of them. */
export interface Rewrite {
  readonly type: 'rewrite'
  /** Of the version, none of them in a change under way. */
  readonly inputs: readonly FileName[]
  /** Of the outputs. */
  readonly group: number
  /** The engine's own, handed to `Engine.rewrite`. */
  readonly parameters: unknown
}

/** Forgets files: expired windows, ranges deleted as a whole. */
export interface Drop {
  readonly type: 'drop'
  /** Of the version, none of them in a change under way. */
  readonly files: readonly FileName[]
}

/** What may be done with files. */
export type Change = Move | Rewrite | Drop

/** How a shard is opened. */
export interface ShardOpenOptions {
  /** Default, each: that of `SHARD_DEFAULTS`. */
  readonly settings?: Partial<ShardSettings>
  /** Create the shard where there is none. Default true. */
  readonly createIfMissing?: boolean
  /** Fail with EXISTS where there is one. Default false. */
  readonly errorIfExists?: boolean
  /** Read what is there without taking ownership and without changing anything. Default false. */
  readonly readOnly?: boolean
  /** Gives up opening, with ABORTED; what has been taken over stays taken over. Default: nobody does. */
  readonly signal?: AbortSignal
}

/**
 * What a write is for. While the disk is full, and there is a reserve, what stores is refused and what frees is not:
 * operations after whose compaction there is less than before.
 */
export type Purpose = 'store' | 'free'

/** Where a shard's files and heads are. */
export interface ShardPlace {
  /** Tables and manifests. */
  readonly files: FileStore
  /** Heads of this shard, and of others. */
  readonly heads: HeadStore
}

/** Where a checkpoint goes. */
export interface CheckpointTarget extends ShardPlace {
  /**
   * Takes over files of `source` without copying them, durably and before it resolves: two names of the same bytes. The
   * names of those it could take; the others are copied. Default: all are.
   */
  readonly adopt?: (refs: readonly FileRef[], source: FileStore) => Promise<ReadonlySet<FileName>>
}

/** A shard that takes no writes, and whose every write is in files. Its files stay until `resume` or `end`. */
export interface HandOver {
  /** The shard that hands over. */
  readonly shard: ShardId
  /** As it stands in the head store. */
  readonly head: HeadContent
  /** As the head and its manifest file have it. */
  readonly manifest: ManifestState
  /** Keeps `files`, of this shard's own, for `successor`. */
  pin(successor: ShardId, files: readonly FileName[]): Promise<void>
  /** From now on nobody opens this shard without looking at `lead`. @throws {VarveError} FENCED, OUTCOME_UNKNOWN */
  seal(lead: ShardId, successors: readonly ShardId[]): Promise<void>
  /** The change was given up: writes go on, and nothing is kept for `successors`. Does not reject. */
  resume(successors: readonly ShardId[]): Promise<void>
  /** Nothing is written any more: whatever waits, or comes, rejects with `reason`. Reads go on until the shard is closed. */
  end(reason: VarveError): void
}

/** An open shard, as its engine uses it. */
export interface Shard<Operation, Table extends Memtable<Operation>, Shape> {
  /** As in its components. */
  readonly id: ShardId
  /** It was opened to be read only: writes reject with READ_ONLY. */
  readonly readOnly: boolean
  /** As they are in force, complete. */
  readonly settings: ShardSettings
  /** The newest view, for reads that end within this turn. */
  readonly view: View<Table, Shape>
  /** Reads see operations up to here. */
  readonly visible: Seqno
  /**
   * Applies one operation and resolves when it has reached `durability`; operations of one turn and rung share a
   * promise. Order of calls is commit order. The operation is only borrowed for the call.
   *
   * @throws {VarveError} BUSY — writes are held back, and the queue is full or what they wait for fails (`stallMs`)
   * @param purpose default `store`
   * @throws {VarveError} NO_SPACE — nothing was written; writes resume by themselves, those that free at once
   * @throws {VarveError} UNSUPPORTED — the journal does not offer this rung; nothing was written
   * @throws {VarveError} FENCED, OUTCOME_UNKNOWN, POISONED, READ_ONLY, CLOSED
   */
  write(operation: Operation, durability: Durability, purpose?: Purpose): Promise<void>
  /** As `write`, for operations that become visible and durable together or not at all. */
  writeBatch(operations: readonly Operation[], durability: Durability, purpose?: Purpose): Promise<void>
  /** Holds the current view until `unpin`. */
  pin(): View<Table, Shape>
  /** Lets go of what `pin` or `freeze` gave; once each. */
  unpin(view: View<Table, Shape>): void
  /**
   * A view that no write changes any more, held until `unpin`: everything applied before this call, and nothing after.
   * It is the snapshot of an engine whose memtable has no versions. Freezes the memtable, which will be flushed; resolves
   * when all of it is visible.
   *
   * @throws {VarveError} CLOSED, and what the writes in it reject with
   */
  freeze(): Promise<View<Table, Shape>>
  /** Holds what a reader at `seqno` sees until `unpinSeqno`. Default: `visible`; another must be pinned already. */
  pinSeqno(seqno?: Seqno): Seqno
  /** Lets go of what `pinSeqno` gave; once each. */
  unpinSeqno(seqno: Seqno): void
  /**
   * Resolves when everything written before is in files.
   *
   * @throws {VarveError} what a flush fails with, such as JOB_FAILED or NO_SPACE; it is tried again by itself
   * @throws {VarveError} FENCED, OUTCOME_UNKNOWN, POISONED, READ_ONLY, CLOSED
   */
  flush(): Promise<void>
  /**
   * Runs the change that `choose` makes, once, as if `Engine.choose` had asked for it. Where changes under way are in the
   * way, say `blocked` to be asked again when some of them have ended; no others begin before.
   */
  apply(choose: (underway: Underway) => Change | 'blocked' | undefined): Promise<void>
  /** Resolves when `Engine.choose` asks for nothing more and no job runs; rejects where a change waits for another try. */
  settle(): Promise<void>
  /** Makes every write so far durable. @throws {VarveError} UNSUPPORTED — the journal offers no `synced`; and as `write` */
  sync(): Promise<void>
  /**
   * Copies this moment of the shard to other stores, where it can be opened under the same name. Flushes first. What is
   * copied is compared with its checksum on the way; what the target adopts is not read.
   *
   * @throws {VarveError} EXISTS — the target has a shard of this name, or files of its names; NO_SPACE, READ_ONLY
   * @throws {VarveError} TABLE_CORRUPT, FILE_MISSING, ABORTED — nothing can be opened at the target then; files may be left
   */
  checkpoint(target: CheckpointTarget, options?: AbortOptions): Promise<void>
  /**
   * Makes shard `clone` in the same stores, starting with this moment of this one. Nothing is copied: both refer to the
   * same files, which stay until neither does. Flushes first. A shard id is used once, ever, also where this fails.
   *
   * @throws {VarveError} EXISTS, READ_ONLY, FENCED, BUSY (it is being handed over); OUTCOME_UNKNOWN — try to open the clone
   */
  clone(clone: ShardId): Promise<void>
  /**
   * Stops taking writes, which wait from now on, and puts everything into files: so that others can take this shard's
   * place. What is got must be given to `succeed`, or `resume`d.
   *
   * @throws {VarveError} READ_ONLY, BUSY — it is being handed over already; what `flush` throws, and writes go on
   */
  handOver(): Promise<HandOver>
  /** Resolves if this owner still is the owner. @throws {VarveError} FENCED */
  barrier(): Promise<void>
  /** What there is and what was done, for people and for metrics. Cheap: nothing is read. */
  statistics(): ShardStatistics
  /**
   * Settles every call, makes what was written durable, then lets go, whatever happens. Idempotent. Resolves also where
   * another owner has taken over, who has what was acknowledged, and where the shard has failed before, which its calls
   * have said.
   *
   * @throws {VarveError} OUTCOME_UNKNOWN — what was written last, and not synced, may not survive a power cut
   */
  close(): Promise<void>
}
