/** A work queue on real servers for one test: a scheduler, others of other shards, workers, over files of one folder. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJobWorker } from '../../src/jobs/nats/nats-job-worker.ts'
import { NatsScheduler } from '../../src/jobs/nats/nats-scheduler.ts'
import type { BrokerSettings } from '../../src/jobs/remote/settings.ts'
import type { JobWorkerSettings } from '../../src/jobs/remote/worker-settings.ts'
import * as standardHandlers from '../../src/jobs/standard-handlers.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { JetStreamQueues } from '../../src/nats/jet-stream-queues.ts'
import type { JetStream } from '../../src/nats/jet-stream.ts'
import type { JobSchedulerUnderTest } from '../../src/testing/job-bench.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { openTestFiles } from '../jobs/worker-composition.ts'
import { clock, random } from './nats-place.ts'

const hash = await loadHash()
const handlers = new HandlerTable({
  [testHandlers.TEST_HANDLERS]: testHandlers,
  [standardHandlers.STANDARD_HANDLERS]: standardHandlers,
})

export interface JobPlace extends JobSchedulerUnderTest {
  readonly scheduler: NatsScheduler
  readonly queue: string
  /** As another process would have them. */
  readonly queues: JetStreamQueues
  /** Another shard's scheduler. */
  submitter(shard: string): NatsScheduler
  work(places?: Partial<JobWorkerSettings>): NatsJobWorker
}

export interface JobPlaceOptions {
  readonly streams: JetStream
  readonly workersStreams: JetStream
  readonly queue: string
  readonly concurrency: number
  readonly pendingMax?: number
  readonly replicas?: number
  readonly settings?: Partial<BrokerSettings>
}

export async function openJobPlace(options: JobPlaceOptions): Promise<JobPlace> {
  const { streams, workersStreams, queue, concurrency, pendingMax = 100, replicas = 1, settings = {} } = options
  const folder = mkdtempSync(join(tmpdir(), 'varve-nats-jobs-'))
  const files = await openTestFiles(folder)
  const placesOfJobs = { concurrency: concurrency + 4, urgentPlaces: 0, pendingMax: 100, labels: ['gpu'] }
  const inner = new InlineScheduler({ files, hash, clock, handlers, settings: placesOfJobs })
  const queues = new JetStreamQueues(workersStreams)
  const schedulers: NatsScheduler[] = []
  const workers: NatsJobWorker[] = []
  const submitter = (shard: string): NatsScheduler => {
    const places = { queues: new JetStreamQueues(streams), queue, shard, replicas, labels: ['gpu'] }
    const scheduler = new NatsScheduler({ streams, clock, random, local: inner, pendingMax, settings, ...places })
    schedulers.push(scheduler)
    return scheduler
  }
  const { leaseMs } = settings
  const lease = leaseMs === undefined ? {} : { leaseMs }
  return {
    scheduler: submitter('a'),
    submitter,
    queue,
    queues,
    files,
    clock,
    work: (places = {}) => {
      const given = { places: concurrency, ...places, ...lease, replicas }
      const worker = new NatsJobWorker({ queues, queue, jobs: inner, clock, ...given })
      workers.push(worker)
      return worker
    },
    close: async () => {
      for (const scheduler of schedulers) await scheduler.close()
      for (const worker of workers) await worker.close()
      await inner.close()
      rmSync(folder, { recursive: true })
    },
  }
}
