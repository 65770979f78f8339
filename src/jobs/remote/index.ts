/** `varve/jobs/remote`: workers elsewhere, the broker between them and shards, and its client. */

export { JobBroker } from './job-broker.ts'
export type { JobBrokerOptions, LeasedJob } from './job-broker.ts'
export type { WorkerOffer } from './job-choice.ts'
export { BrokeredJob } from './brokered-job.ts'
export type { JobOutcome, Lease } from './brokered-job.ts'
export { JobService, WorkerService } from './job-service.ts'
export { JOB_WORKER_DEFAULTS, JobWorker } from './job-worker.ts'
export type { JobWorkerOptions, JobWorkerSettings } from './job-worker.ts'
export { REMOTE_JOBS_AWAY_MS, REMOTE_JOBS_MAX, RemoteScheduler } from './remote-scheduler.ts'
export type { RemoteSchedulerOptions } from './remote-scheduler.ts'
export { BROKER_DEFAULTS } from './settings.ts'
export type { BrokerSettings } from './settings.ts'
