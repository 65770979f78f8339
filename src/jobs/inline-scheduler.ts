/**
 * Runs jobs on the thread it is made on, in slices.
 *
 * For tests and simulations, where everything must happen on one thread in one order, for places without threads, and
 * for jobs so small that a worker would cost more. A handler that rejects or throws fails its job; one that leaves a
 * rejected promise unhandled behind its back is the process's business here, and a worker's elsewhere.
 */

import type { Clock } from '../kernel/clock.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import { DURATION_MS, checkNumber, overDefaults } from '../kernel/setting-check.ts'
import type { FileStore } from '../fs/fs.ts'
import type { HandlerTable } from './handler-table.ts'
import { portableSpec } from './job-data.ts'
import { runJob } from './job-run.ts'
import type { JobEnvironment } from './job-run.ts'
import type { JobResult, JobSupport } from './jobs.ts'
import type { QueuedJob } from './queued-job.ts'
import { QueuedScheduler } from './queued-scheduler.ts'
import { QUEUE_DEFAULTS, checkedQueueSettings } from './queue-settings.ts'
import type { QueueSettings } from './queue-settings.ts'
import { TimeSlices } from './time-slices.ts'

/** Defaults and their reasons: `INLINE_DEFAULTS`. */
export interface InlineSettings extends QueueSettings {
  /** How long a job may hold the event loop between two calls of `pause`, in milliseconds. Range: 0 … 3,600,000. */
  readonly sliceMs: number
}

/** What is not said. */
export const INLINE_DEFAULTS: InlineSettings = Object.freeze({
  ...QUEUE_DEFAULTS,
  // Under the 5 ms that may be taken from the event loop while compacting; giving way costs about 3 µs.
  sliceMs: 4,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveInlineSettings(input: Partial<InlineSettings> = {}): InlineSettings {
  const settings = checkedQueueSettings(overDefaults(INLINE_DEFAULTS, input))
  checkNumber('sliceMs', settings.sliceMs, DURATION_MS)
  return Object.freeze(settings)
}

/** What jobs run with. */
export interface InlineSchedulerOptions {
  /** Stays the caller's: `close()` does not close it. */
  readonly files: FileStore
  /** Handed to handlers. */
  readonly hash: Hash
  /** Measures slices, and handed to handlers. */
  readonly clock: Clock
  /** For tables. Default: `lz4-napi`. */
  readonly lz4?: Lz4 | undefined
  /** The list of what may run. */
  readonly handlers: HandlerTable
  /** Default, each: that of `INLINE_DEFAULTS`. */
  readonly settings?: Partial<InlineSettings>
}

/** Runs jobs on this thread, `concurrency` of them in turns. */
export class InlineScheduler extends QueuedScheduler {
  readonly name = 'inline'
  readonly supports: JobSupport = Object.freeze({ sharedMemory: true })
  readonly #environment: JobEnvironment

  constructor(options: InlineSchedulerOptions) {
    const settings = resolveInlineSettings(options.settings)
    super(settings)
    const { files, hash, clock, lz4, handlers } = options
    this.#environment = { files, hash, clock, lz4, handlers, slices: new TimeSlices(clock, settings.sliceMs) }
  }

  protected override async run(job: QueuedJob): Promise<JobResult> {
    // Cloned as on the way to a worker, so that a job which would fail there fails here, in a test.
    const spec = structuredClone(portableSpec(job.spec))
    // Not in the turn of whoever submitted: that is a write in flight.
    await this.#environment.slices.turn()
    return structuredClone(await runJob(spec, this.#environment, job))
  }
}
