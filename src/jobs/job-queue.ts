/**
 * The part that schedulers of one process share: who runs next, and who has waited in vain.
 *
 * Lower priority first, first come first served within one. Ordinary jobs leave `urgentPlaces` free, so that a flush
 * starts at once while compactions run for seconds; but where none has come for as long as an ordinary job took, they take
 * those places too, until the next one comes. The queue starts jobs after the current turn's submissions, by
 * calling `run`, and knows nothing of how they are run.
 */

import { VarveError } from '../kernel/errors.ts'
import type { JobHandle, JobResult, JobSpec } from './jobs.ts'
import { QueuedJob } from './queued-job.ts'
import type { QueueSettings } from './queue-settings.ts'

export class JobQueue {
  readonly #settings: QueueSettings
  readonly #run: (job: QueuedJob) => Promise<JobResult>
  /** In the order they will start. */
  readonly #waiting: QueuedJob[] = []
  readonly #running = new Set<QueuedJob>()
  readonly #ordinaryPlaces: number
  #ordinaryRunning = 0
  /** Urgent jobs that have been submitted. */
  #urgentCount = 0
  /** No urgent job came while the ordinary job that ended last was running. */
  #quiet = false
  #memoryBytes = 0
  #startScheduled = false
  #closed = false
  #readyWaiters: (() => void)[] = []
  #idleWaiters: (() => void)[] = []

  /** @param run settles when nothing of the job runs any more; it watches `job.signal` */
  constructor(settings: QueueSettings, run: (job: QueuedJob) => Promise<JobResult>) {
    this.#settings = settings
    this.#run = run
    this.#ordinaryPlaces = Math.max(1, settings.concurrency - settings.urgentPlaces)
  }

  get pending(): number {
    return this.#waiting.length + this.#running.size
  }

  get pendingMax(): number {
    return this.#settings.pendingMax
  }

  /** As `JobScheduler.submit`. */
  submit(spec: JobSpec): JobHandle {
    if (this.#closed) throw closed()
    if (Number.isNaN(spec.priority)) throw new RangeError('priority must be a number')
    for (const label of spec.requirements.labels) {
      if (this.#settings.labels.includes(label)) continue
      throw new VarveError('UNSUPPORTED', `job ${spec.id} needs a place with ${label}`, {
        details: { capability: label },
      })
    }
    if (this.pending >= this.#settings.pendingMax) {
      throw new VarveError('BUSY', `${this.pending} jobs are pending`, {
        details: { pending: this.pending, limit: this.#settings.pendingMax },
      })
    }
    if (spec.priority <= 0) {
      this.#urgentCount++
      this.#quiet = false
    }
    const job = new QueuedJob(spec, (cancelled) => this.#drop(cancelled))
    // Stable: after all of the same priority.
    let at = this.#waiting.length
    while (at > 0 && (this.#waiting[at - 1] as QueuedJob).spec.priority > spec.priority) at--
    this.#waiting.splice(at, 0, job)
    this.#scheduleStart()
    return job.handle
  }

  async ready(): Promise<void> {
    if (this.#closed) throw closed()
    if (this.pending < this.#settings.pendingMax) return
    await new Promise<void>((resolve) => this.#readyWaiters.push(resolve))
  }

  /** As `JobScheduler.close`. */
  async close(): Promise<void> {
    this.#closed = true
    for (const job of this.#waiting.splice(0)) {
      job.cancel('CLOSED')
      job.fail(undefined)
    }
    for (const job of this.#running) job.cancel('CLOSED')
    this.#settled()
    if (this.pending > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /** A job that waits needs nobody to stop: it is answered at once. */
  #drop(job: QueuedJob): void {
    const at = this.#waiting.indexOf(job)
    if (at < 0) return
    this.#waiting.splice(at, 1)
    job.fail(undefined)
    this.#settled()
    this.#scheduleStart()
  }

  #scheduleStart(): void {
    if (this.#startScheduled) return
    this.#startScheduled = true
    queueMicrotask(() => {
      this.#startScheduled = false
      for (let job = this.#waiting[0]; job !== undefined && this.#hasPlaceFor(job); job = this.#waiting[0]) {
        this.#waiting.shift()
        void this.#start(job)
      }
    })
  }

  #hasPlaceFor(job: QueuedJob): boolean {
    if (this.#running.size >= this.#settings.concurrency) return false
    if (job.urgent || this.#running.size === 0) return true
    if (!this.#quiet && this.#ordinaryRunning >= this.#ordinaryPlaces) return false
    return this.#memoryBytes + job.spec.requirements.memoryBytes <= this.#settings.memoryBytesMax
  }

  async #start(job: QueuedJob): Promise<void> {
    const { memoryBytes } = job.spec.requirements
    const ordinary = job.urgent ? 0 : 1
    const urgentBefore = this.#urgentCount
    this.#running.add(job)
    this.#ordinaryRunning += ordinary
    this.#memoryBytes += memoryBytes
    try {
      job.succeed(await this.#run(job))
    } catch (error) {
      job.fail(error)
    }
    if (ordinary === 1) this.#quiet = this.#urgentCount === urgentBefore
    this.#running.delete(job)
    this.#ordinaryRunning -= ordinary
    this.#memoryBytes -= memoryBytes
    this.#settled()
    this.#scheduleStart()
  }

  #settled(): void {
    if (this.pending < this.#settings.pendingMax) for (const wake of this.#readyWaiters.splice(0)) wake()
    if (this.pending === 0) for (const wake of this.#idleWaiters.splice(0)) wake()
  }
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the job scheduler is closed')
}
