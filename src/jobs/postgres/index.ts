/** `varve/jobs/postgres`: a job queue in a PostgreSQL database, who submits to it and who works. */

export { JOB_TABLES } from './job-statements.ts'
export { POSTGRES_JOBS_MAX, PostgresScheduler } from './postgres-scheduler.ts'
export type { PostgresSchedulerOptions } from './postgres-scheduler.ts'
export { PostgresWorker } from './postgres-worker.ts'
export type { PostgresWorkerOptions } from './postgres-worker.ts'
export { POSTGRES_JOB_DEFAULTS } from './settings.ts'
export type { PostgresJobSettings } from './settings.ts'
export { JOB_WORKER_DEFAULTS } from '../remote/worker-settings.ts'
export type { JobWorkerSettings } from '../remote/worker-settings.ts'
export type { BrokerSettings } from '../remote/settings.ts'
