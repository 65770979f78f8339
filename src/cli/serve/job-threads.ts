/** A job worker whose jobs run on threads of this process. */

import { JobWorker } from '../../jobs/remote/job-worker.ts'
import type { JobWorkerSettings } from '../../jobs/remote/worker-settings.ts'
import type { WorkerComposition } from '../../jobs/worker-protocol.ts'
import { WorkerScheduler } from '../../jobs/worker-scheduler.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { Opened } from './served-directory.ts'

export interface JobThreadsOptions {
  /** Of the broker. */
  readonly client: RpcClient
  readonly clock: Clock
  readonly composition: WorkerComposition
  readonly settings: Partial<JobWorkerSettings> & Pick<JobWorkerSettings, 'places'>
  /** Closes what is opened here. */
  readonly opened: Opened
}

export function startJobThreads({ client, clock, composition, settings, opened }: JobThreadsOptions): JobWorker {
  const jobs = new WorkerScheduler({
    composition,
    clock,
    // Whatever is pulled has its place: the broker knows what may wait.
    settings: {
      concurrency: settings.places,
      urgentPlaces: 0,
      memoryBytesMax: Number.MAX_SAFE_INTEGER,
      labels: settings.labels ?? [],
    },
  })
  opened.add(() => jobs.close())
  const worker = new JobWorker({ client, jobs, clock, settings })
  opened.add(() => worker.close())
  return worker
}
