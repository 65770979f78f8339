/**
 * What schedulers have in common whose workers are elsewhere: they take no shared memory, hand everything on at once,
 * because whoever keeps the jobs knows what comes first, and run on `local` what nobody elsewhere does.
 */

import { onAbort } from '../kernel/abort-listener.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec, JobSupport } from './jobs.ts'
import { resolveQueueSettings } from './queue-settings.ts'
import type { QueuedJob } from './queued-job.ts'
import { QueuedScheduler } from './queued-scheduler.ts'

export interface DistantSchedulerOptions {
  /** Runs what nobody elsewhere does. Stays the caller's. Default: such a job fails. */
  readonly local?: JobScheduler
  /** Jobs that have not settled; with as many, `submit` throws BUSY. */
  readonly pendingMax: number
  /** What workers have, such as `gpu`; jobs that need anything else are refused. Default: nothing. */
  readonly labels?: readonly string[]
}

// More than may be pending.
const CONCURRENCY = 1024

export abstract class DistantScheduler extends QueuedScheduler {
  override readonly supports: JobSupport = Object.freeze({ sharedMemory: false })
  readonly #local: JobScheduler | undefined
  /** Jobs that ran here because nobody elsewhere did. */
  localCount = 0

  constructor({ local, pendingMax, labels = [] }: DistantSchedulerOptions) {
    const memoryBytesMax = Number.MAX_SAFE_INTEGER
    super(resolveQueueSettings({ concurrency: CONCURRENCY, urgentPlaces: 0, pendingMax, memoryBytesMax, labels }))
    this.#local = local
  }

  override submit(spec: JobSpec): JobHandle {
    if (spec.inputs.some((input) => input.type === 'memory'))
      throw new VarveError('UNSUPPORTED', 'no shared memory', { details: { capability: 'sharedMemory' } })
    return super.submit(spec)
  }

  /** What a worker has said. One of another version is not what the job needs, and `local` may be. */
  protected async failedElsewhere(job: QueuedJob, error: unknown): Promise<JobResult> {
    if (this.#local !== undefined && isCode(error, 'INCOMPATIBLE')) return this.runHere(job)
    throw error
  }

  /** On `local`, under other names: what was begun elsewhere may still be writing. */
  protected async runHere({ spec, signal }: QueuedJob): Promise<JobResult> {
    if (signal.aborted) throw signal.reason
    const local = this.#local
    if (local === undefined) {
      throw new VarveError('JOB_FAILED', `nobody takes job ${spec.id}`, {
        details: { job: spec.id, attempt: spec.attempt },
      })
    }
    this.localCount++
    await local.ready()
    if (signal.aborted) throw signal.reason
    const handle = local.submit({ ...spec, outputPrefix: `${spec.outputPrefix}l-` })
    const unlisten = onAbort(signal, () => handle.cancel(signal.reason))
    try {
      return await handle.result
    } catch (error) {
      throw isCode(error, 'JOB_FAILED') ? error.cause : error
    } finally {
      unlisten()
    }
  }
}
