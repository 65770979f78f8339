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
import type { FileStore, HeadStore, SpaceReserve } from '../fs/fs.ts'
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
import type { TableLoad } from './table-load.ts'
import type { View } from './version.ts'

/** The parts a shard is composed of. Whoever opens the shard owns them and closes them after it. */
export interface ShardComponents extends ShardPlace {
  readonly shard: ShardId
  /** Where it is, as messages say it: a directory, an address. */
  readonly location?: string
  readonly journal: JournalSystem
  readonly jobs: JobScheduler
  /** Runs jobs whose inputs are in memory, where `jobs` takes no shared memory. */
  readonly localJobs?: JobScheduler
  /** Given back when the disk is full, so that space can be freed. Shards of one place share it. */
  readonly reserve?: SpaceReserve
  readonly clock: Clock
  readonly random: Random
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

export type Pressure = 'none' | 'stop'

/** The engine's part of a job specification; the shard adds identity, attempt and names. */
export interface JobPlan {
  readonly handler: HandlerReference
  readonly inputs: JobSpec['inputs']
  readonly parameters: unknown
  readonly requirements: JobRequirements
  readonly priority: number
  readonly stuckMs?: number
}

/** One job of a change, done but not believed. */
export interface AnsweredJob extends JobResult {
  readonly spec: JobSpec
}

/** A file as the manifest keeps it. */
export interface VersionFile {
  readonly ref: FileRef
  readonly format: FormatReference
  /** The engine's grouping: a level, a run, a window. */
  readonly group: number
  readonly seqnoFirst: Seqno
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

export interface ChooseInput<Shape> extends Underway {
  readonly shape: Shape
  readonly files: readonly VersionFile[]
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
  readonly files: readonly FileName[]
  readonly group: number
}

/** Replaces files by what a job makes of them. */
export interface Rewrite {
  readonly type: 'rewrite'
  readonly inputs: readonly FileName[]
  readonly group: number
  /** The engine's own, handed to `Engine.rewrite`. */
  readonly parameters: unknown
}

/** Forgets files: expired windows, ranges deleted as a whole. */
export interface Drop {
  readonly type: 'drop'
  readonly files: readonly FileName[]
}

export type Change = Move | Rewrite | Drop

export interface ShardSettings {
  /** A memtable of this size is frozen and flushed, in bytes. */
  readonly memtableBytes: number
  /** Frozen memtables that may wait; writes wait while there are more. */
  readonly frozenMax: number
  /** Compactions at a time. */
  readonly compactionsMax: number
  /** Bytes of writes that may wait while writes are held back; beyond, they reject with BUSY. */
  readonly queuedBytesMax: number
  /** A group of writes is handed to the journal at this size, even within one turn of the event loop. */
  readonly groupBytesMax: number
  /** A failed job is tried again after this many milliseconds, doubling up to a minute. */
  readonly retryDelayMs: number
  /** Writes that wait for flushes or compactions, none of which has succeeded for so many milliseconds, reject with BUSY. */
  readonly stallMs: number
  /**
   * How long closing waits for files and heads that do not answer, in milliseconds. What flushes, compactions and removals
   * have not done by then is left to the next opening. For the journal closing is as patient as that is.
   */
  readonly closeMs: number
}

export interface ShardOpenOptions {
  readonly settings?: Partial<ShardSettings>
  /** Create the shard where there is none. Default true. */
  readonly createIfMissing?: boolean
  /** Fail with EXISTS where there is one. Default false. */
  readonly errorIfExists?: boolean
  /** Read what is there without taking ownership and without changing anything. Default false. */
  readonly readOnly?: boolean
  readonly signal?: AbortSignal
}

/**
 * What a write is for. While the disk is full, and there is a reserve, what stores is refused and what frees is not:
 * operations after whose compaction there is less than before.
 */
export type Purpose = 'store' | 'free'

/** Where a shard's files and heads are. */
export interface ShardPlace {
  readonly files: FileStore
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
  readonly shard: ShardId
  readonly head: HeadContent
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
  readonly id: ShardId
  readonly readOnly: boolean
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
  unpinSeqno(seqno: Seqno): void
  /** Resolves when everything written before is in files. */
  flush(): Promise<void>
  /**
   * Runs the change that `choose` makes, once, as if `Engine.choose` had asked for it. Where changes under way are in the
   * way, say `blocked` to be asked again when some of them have ended; no others begin before.
   */
  apply(choose: (underway: Underway) => Change | 'blocked' | undefined): Promise<void>
  /** Resolves when `Engine.choose` asks for nothing more and no job runs; rejects where a change waits for another try. */
  settle(): Promise<void>
  /** Makes every write so far durable. Rejects with UNSUPPORTED where the journal does not offer `synced`. */
  sync(): Promise<void>
  /**
   * Copies this moment of the shard to other stores, where it can be opened under the same name. Flushes first. What is
   * copied is compared with its checksum on the way; what the target adopts is not read.
   *
   * @throws {VarveError} EXISTS — the target has a shard of this name, or files of its names; NO_SPACE, READ_ONLY
   * @throws {VarveError} TABLE_CORRUPT, FILE_MISSING — nothing can be opened at the target then
   */
  checkpoint(target: CheckpointTarget): Promise<void>
  /**
   * Makes shard `clone` in the same stores, starting with this moment of this one. Nothing is copied: both refer to the
   * same files, which stay until neither does. Flushes first. A shard id is used once, ever.
   *
   * @throws {VarveError} EXISTS, READ_ONLY
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

export interface ShardStatistics {
  readonly epoch: number
  readonly files: number
  readonly fileBytes: number
  /** Memory of the memtables, in bytes. */
  readonly memtableBytes: number
  readonly frozenTables: number
  readonly journalBytes: number
  readonly queuedBytes: number
  /** Since opening: encoded bytes of all operations, and bytes of files written by flushes and by compactions. */
  readonly writtenBytes: number
  readonly flushedBytes: number
  readonly compactedBytes: number
  readonly flushes: number
  readonly compactions: number
  readonly moves: number
  readonly jobsRunning: number
  readonly jobFailures: number
  /** Milliseconds that writes were held back. */
  readonly heldMs: number
  /** The disk is full: only what frees space is taken. */
  readonly outOfSpace: boolean
  /** Bytes set aside for that, as long as it is not. */
  readonly reserveBytes: number
  readonly pinnedViews: number
  readonly pinnedSeqnos: number
}
