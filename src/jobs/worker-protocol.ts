/**
 * What a scheduler and its worker threads say to each other: structured-clonable messages, in order, over the worker's
 * own port.
 *
 *     scheduler                     worker
 *       run      ──────────────►    one job at a time
 *                ◄──────────────    progress, any number
 *       cancel   ──────────────►
 *                ◄──────────────    done or failed, once
 *       stop     ──────────────►    closes its file store and exits
 *                ◄──────────────    broken: it could not set itself up; exits
 */

import type { Clock } from '../kernel/clock.ts'
import type { ErrorWire } from '../kernel/error-wire.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { FileStore } from '../fs/fs.ts'
import type { JobResult, JobSpec } from './jobs.ts'
import type { PrecedenceCell } from './precedence.ts'

export type WorkerRequest =
  { readonly type: 'run'; readonly spec: JobSpec } | { readonly type: 'cancel' } | { readonly type: 'stop' }

export type WorkerAnswer =
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: ErrorWire }
  | { readonly type: 'broken'; readonly error: ErrorWire }

/** Names a function that makes a component inside a worker, where closures cannot go. */
export interface ComponentReference {
  /** Package specifier or URL of the module. */
  readonly module: string
  /** Name of the export. */
  readonly export: string
  /** Structured-clonable; handed to the function. */
  readonly options?: unknown
}

/** What a component is made from, beside its own options. */
export interface WorkerBasis {
  /** The worker's own. */
  readonly hash: Hash
  /** What its `ClockFactory` made. */
  readonly clock: Clock
}

/** Makes a worker's clock, once a worker. */
export type ClockFactory = (options: unknown) => Clock | Promise<Clock>
/** Figures as those of `loadHash`. */
export type HashFactory = (options: unknown) => Hash | Promise<Hash>
/** Undefined: jobs take `lz4-napi`. */
export type Lz4Factory = (options: unknown) => Lz4 | undefined | Promise<Lz4 | undefined>
/** Called whenever a job has been answered. Must not throw. */
export type AfterJob = (options: unknown) => void
/** Puts a wrapper around a file store; closing the wrapper closes what is in it. */
export type FileStoreWrapper = (
  inner: FileStore,
  options: unknown,
  basis: WorkerBasis,
) => FileStore | Promise<FileStore>
/** Opens a worker's file store, once a worker, which closes it when it ends. */
export type FileStoreFactory = (options: unknown, basis: WorkerBasis) => FileStore | Promise<FileStore>

/** How every worker composes itself. Plain data. */
export interface WorkerComposition {
  /** Names a `FileStoreFactory`: the same files as the scheduler's owner sees. */
  readonly files: ComponentReference
  /** Names `FileStoreWrapper`s to put around `files`, innermost first. Default: none. */
  readonly wrappers?: readonly ComponentReference[]
  /** Names a `ClockFactory`. */
  readonly clock: ComponentReference
  /** Names a `HashFactory`. Default: `loadHash`. */
  readonly hash?: ComponentReference
  /** Names an `Lz4Factory`. Default: none. */
  readonly lz4?: ComponentReference
  /** Names an `AfterJob`. Default: none. */
  readonly afterJob?: ComponentReference
  /** Handler module specifier → where a worker finds it. One that is not listed is imported by its specifier. */
  readonly handlers: Readonly<Record<string, string>>
}

/** What a worker is born with. */
export interface WorkerBirth {
  readonly composition: WorkerComposition
  readonly progressIntervalMs: number
  readonly sliceMs: number
  /** How far its thread stands back, as `nice` counts. */
  readonly nice: number
  /** Where it has to stand still for others. */
  readonly precedence: PrecedenceCell | undefined
}
