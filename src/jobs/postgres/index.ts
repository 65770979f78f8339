/** `varve/jobs/postgres`: a job queue in a PostgreSQL database, who submits to it and who works. */

export { JOB_TABLES } from './job-statements.ts'
export { POSTGRES_JOBS_MAX, PostgresScheduler } from './postgres-scheduler.ts'
export type { PostgresSchedulerOptions } from './postgres-scheduler.ts'
export { POSTGRES_WORKER_DEFAULTS, PostgresWorker } from './postgres-worker.ts'
export type { PostgresWorkerOptions, PostgresWorkerPlaces } from './postgres-worker.ts'
export { POSTGRES_JOB_DEFAULTS } from './settings.ts'
export type { PostgresJobSettings } from './settings.ts'
