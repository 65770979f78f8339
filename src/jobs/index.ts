/** `varve/jobs`: schedulers for background work, and what handlers of an engine are made of. */

export { HandlerTable } from './handler-table.ts'
export type { HandlerModule, HandlerModuleLoader } from './handler-table.ts'
export { INLINE_DEFAULTS, InlineScheduler, resolveInlineSettings } from './inline-scheduler.ts'
export type { InlineSchedulerOptions, InlineSettings } from './inline-scheduler.ts'
export type {
  FormatReference,
  HandlerExport,
  HandlerReference,
  JobContext,
  JobHandle,
  JobHandler,
  JobInput,
  JobOutput,
  JobRequirements,
  JobResult,
  JobScheduler,
  JobSpec,
  JobSupport,
} from './jobs.ts'
export { QUEUE_DEFAULTS } from './queue-settings.ts'
export type { QueueSettings } from './queue-settings.ts'
export { COPY, STANDARD_HANDLERS, VERIFY, copy, verify } from './standard-handlers.ts'
export type { CopyLabel, CopyParameters } from './standard-handlers.ts'
export type {
  ClockFactory,
  ComponentReference,
  FileStoreFactory,
  FileStoreWrapper,
  HashFactory,
  Lz4Factory,
  WorkerBasis,
  WorkerComposition,
} from './worker-protocol.ts'
export { WorkerScheduler } from './worker-scheduler.ts'
export type { WorkerSchedulerOptions } from './worker-scheduler.ts'
export { WORKER_DEFAULTS, resolveWorkerSettings, workerCount } from './worker-settings.ts'
export type { WorkerSettings } from './worker-settings.ts'
