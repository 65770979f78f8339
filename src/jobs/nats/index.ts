/** `varve/jobs/nats`: jobs in a work queue of NATS JetStream, and workers that pull them. */

export { NatsJobWorker } from './nats-job-worker.ts'
export type { NatsJobWorkerOptions } from './nats-job-worker.ts'
export { NATS_JOBS_MAX, NatsScheduler } from './nats-scheduler.ts'
export type { NatsSchedulerOptions } from './nats-scheduler.ts'
