/**
 * The job-scheduler port: background work as plain data.
 *
 * A job may run twice, late, or never, here or elsewhere; all are harmless, because its outputs carry its attempt in
 * their names and count only once the shard's one committer has put them into the head. Workers read and write files
 * and delete nothing.
 */

import type { FileName, Seqno } from '../kernel/ids.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { FileStore } from '../fs/fs.ts'

/** What a scheduler takes. Does not change. */
export interface JobSupport {
  /** Takes inputs in shared memory. Where not, the shard runs jobs with such inputs on a local executor. */
  readonly sharedMemory: boolean
}

/**
 * Runs jobs somewhere. Jobs may overlap and settle in any order; which begins first is a matter of priority, not of
 * order.
 */
export interface JobScheduler {
  /** For people and messages. */
  readonly name: string
  /** What may be asked of it. */
  readonly supports: JobSupport
  /**
   * Queues one job. Synchronous; the answer, or the reason why there is none, arrives in `result`.
   *
   * The spec is taken as plain data: a handler gets a copy, in which only `SharedArrayBuffer`s are the same memory.
   *
   * @throws {VarveError} UNSUPPORTED — inputs in shared memory, or required labels, that this scheduler does not have
   * @throws {VarveError} BUSY — `pendingMax` jobs have not settled
   * @throws {VarveError} CLOSED
   */
  submit(spec: JobSpec): JobHandle
  /** Jobs that have not settled. */
  readonly pending: number
  /** See `submit`. At least 1. */
  readonly pendingMax: number
  /** Resolves when `pending` is below `pendingMax`. @throws {VarveError} CLOSED — it was when this was called */
  ready(): Promise<void>
  /** Cancels what is waiting or running and resolves when all have settled. Idempotent. */
  close(): Promise<void>
}

/** Code a worker can find by itself: an export of a package, never a closure. */
export interface HandlerReference {
  /** Package specifier, such as `varve/kv/jobs`. */
  readonly module: string
  /** Name of the export. */
  readonly export: string
  /** Compared with the handler's: another is refused with INCOMPATIBLE. */
  readonly version: number
}

/** One job, once. Structured-clonable; not changed after `submit`. */
export interface JobSpec {
  /** Unique within shard and epoch. */
  readonly id: string
  /** Counts from 1. */
  readonly attempt: number
  /** What is to run. */
  readonly handler: HandlerReference
  /** What it reads, in an order that means something to the handler. */
  readonly inputs: readonly JobInput[]
  /** The engine's own, structured-clonable. */
  readonly parameters: unknown
  /** Seqnos that readers hold, ascending: what they see must survive. */
  readonly pinnedSeqnos: readonly Seqno[]
  /** Every output's name starts with this. */
  readonly outputPrefix: string
  /** Of whoever runs it. */
  readonly requirements: JobRequirements
  /** Lower runs first. Zero and below is urgent (a flush that writes wait for): a scheduler keeps room for it. */
  readonly priority: number
  /**
   * How long a worker elsewhere may have it without progress, in milliseconds, before it is taken for stuck, and the job
   * given to another. Default: what the scheduler's settings say, BROKER_DEFAULTS.stuckMs.
   */
  readonly stuckMs?: number
}

/** What a job takes from its place. */
export interface JobRequirements {
  /** Memory the handler may take, in bytes; 0 or more. */
  readonly memoryBytes: number
  /** What a worker must have, such as `gpu`. */
  readonly labels: readonly string[]
}

/** A file, or memory. */
export type JobInput =
  | {
      readonly type: 'file'
      /** The content, and where it is. */
      readonly ref: FileRef
      /** Who can read it. */
      readonly format: FormatReference
      /** What the job that wrote the file said of it; the engine's own. */
      readonly meta: Uint8Array
      /** As the shard sees the file; the engine's own, empty for the whole. */
      readonly view: Uint8Array
    }
  /** What `Memtable.handOver()` gave. */
  | { readonly type: 'memory'; readonly image: unknown }

/** A file format, as the manifest has it. */
export interface FormatReference {
  /** Such as `row`. */
  readonly name: string
  /** Counts from 1. */
  readonly version: number
}

/** One file a job wrote. */
export interface JobOutput {
  /** What `finish` of its writer gave. */
  readonly ref: FileRef
  /** In what it is written. */
  readonly format: FormatReference
  /** Which of the engine's groups it belongs to: a level, a run, a window. Opaque to the shard. */
  readonly group: number
  /** Of the oldest operation in it. */
  readonly seqnoFirst: Seqno
  /** Of the newest operation in it. */
  readonly seqnoLast: Seqno
  /** The engine's own description of the content, such as a key range. Opaque to the shard. */
  readonly meta: Uint8Array
}

/** What a handler gives back: plain data. */
export interface JobResult {
  /** In an order that means something to the engine; each named by `JobContext.outputName`. */
  readonly outputs: readonly JobOutput[]
  /** Bytes read, entries dropped and the like, for people. */
  readonly statistics: Readonly<Record<string, number>>
}

/** A job that was submitted. */
export interface JobHandle {
  /** That of its spec. */
  readonly id: string
  /**
   * Settles once nothing of the job runs any more, so that memory lent to it may be taken back. Not listening to a
   * failure is no unhandled rejection.
   *
   * @throws {VarveError} JOB_FAILED — with the handler's error as `cause`, and its code, if any, as `details.causeCode`
   * @throws {VarveError} ABORTED — cancelled, even if the handler finished meanwhile; CLOSED — the scheduler closed
   */
  readonly result: Promise<JobResult>
  /** 0 … 1, as the handler last said. */
  progress(): number
  /** Idempotent. */
  cancel(reason?: unknown): void
}

/** What runs for a job. It must leave no output behind unfinished when it throws or is aborted. */
export type JobHandler = (spec: JobSpec, context: JobContext) => Promise<JobResult>

/** What a handler module exports under the name of a `HandlerReference`. */
export interface HandlerExport {
  /** Grows when parameters, inputs or outputs change their meaning. */
  readonly version: number
  /** Called with what was asked for; its promise is the job's outcome. */
  readonly run: JobHandler
}

/** What a handler may use while it runs, and not longer. */
export interface JobContext {
  /**
   * The file store, as far as a job may use it: creates only under the output prefix, removes nothing. What a handler
   * leaves open or unfinished is closed or aborted for it.
   */
  readonly files: FileStore
  /** For checksums. */
  readonly hash: Hash
  /** The only clock there is. */
  readonly clock: Clock
  /** For tables, where this thread has one that is faster than `lz4-napi`. */
  readonly lz4?: Lz4 | undefined
  /** Aborted when the job is cancelled, or its scheduler closes; `pause` throws then. */
  readonly signal: AbortSignal
  /** A name for the next output. */
  outputName(extension: string): FileName
  /** Say it as often as you like: where it has not grown for `stuckMs`, a worker elsewhere is taken for stuck. */
  progress(fraction: number): void
  /**
   * Lets others run. Call it at least once per few milliseconds of work: on the main thread it gives way to the event
   * loop when its slice is used up; a worker gives way now and then, to hear of a cancellation. Throws ABORTED when
   * cancelled.
   */
  pause(): Promise<void>
}
