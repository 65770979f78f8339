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

export interface JobSupport {
  /** Takes inputs in shared memory. Where not, the shard runs jobs with such inputs on a local executor. */
  readonly sharedMemory: boolean
}

export interface JobScheduler {
  readonly name: string
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
  readonly pendingMax: number
  /** Resolves when `pending` is below `pendingMax`. */
  ready(): Promise<void>
  /** Cancels what is waiting or running and resolves when all have settled. Idempotent. */
  close(): Promise<void>
}

/** Code a worker can find by itself: an export of a package, never a closure. */
export interface HandlerReference {
  /** Package specifier, such as `varve/kv/jobs`. */
  readonly module: string
  readonly export: string
  readonly version: number
}

export interface JobSpec {
  /** Unique within shard and epoch. */
  readonly id: string
  /** Counts from 1. */
  readonly attempt: number
  readonly handler: HandlerReference
  readonly inputs: readonly JobInput[]
  /** The engine's own, structured-clonable. */
  readonly parameters: unknown
  /** Seqnos that readers hold, ascending: what they see must survive. */
  readonly pinnedSeqnos: readonly Seqno[]
  /** Every output's name starts with this. */
  readonly outputPrefix: string
  readonly requirements: JobRequirements
  /** Lower runs first. Zero and below is urgent (a flush that writes wait for): a scheduler keeps room for it. */
  readonly priority: number
  /**
   * How long a worker elsewhere may have it without progress, in milliseconds, before it is taken for stuck, and the job
   * given to another. Default: what the scheduler's settings say, BROKER_DEFAULTS.stuckMs.
   */
  readonly stuckMs?: number
}

export interface JobRequirements {
  /** Memory the handler may take, in bytes. */
  readonly memoryBytes: number
  /** What a worker must have, such as `gpu`. */
  readonly labels: readonly string[]
}

export type JobInput =
  | {
      readonly type: 'file'
      readonly ref: FileRef
      readonly format: FormatReference
      readonly meta: Uint8Array
      readonly view: Uint8Array
    }
  /** What `Memtable.handOver()` gave. */
  | { readonly type: 'memory'; readonly image: unknown }

export interface FormatReference {
  readonly name: string
  readonly version: number
}

/** One file a job wrote. */
export interface JobOutput {
  readonly ref: FileRef
  readonly format: FormatReference
  /** Which of the engine's groups it belongs to: a level, a run, a window. Opaque to the shard. */
  readonly group: number
  readonly seqnoFirst: Seqno
  readonly seqnoLast: Seqno
  /** The engine's own description of the content, such as a key range. Opaque to the shard. */
  readonly meta: Uint8Array
}

export interface JobResult {
  readonly outputs: readonly JobOutput[]
  /** Bytes read, entries dropped and the like, for people. */
  readonly statistics: Readonly<Record<string, number>>
}

export interface JobHandle {
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
  readonly run: JobHandler
}

export interface JobContext {
  /**
   * The file store, as far as a job may use it: creates only under the output prefix, removes nothing. What a handler
   * leaves open or unfinished is closed or aborted for it.
   */
  readonly files: FileStore
  readonly hash: Hash
  readonly clock: Clock
  /** For tables, where this thread has one that is faster than `lz4-napi`. */
  readonly lz4?: Lz4 | undefined
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
