/** One run of one job, on the thread this is called on. */

import type { Clock } from '../kernel/clock.ts'
import { throwIfAborted } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { FileStore } from '../fs/fs.ts'
import type { HandlerTable } from './handler-table.ts'
import { RunContext } from './job-context.ts'
import { portableResult } from './job-data.ts'
import { JobFiles } from './job-files.ts'
import type { JobResult, JobSpec } from './jobs.ts'
import type { GivingWay } from './precedence.ts'
import type { TimeSlices } from './time-slices.ts'

/** What a thread has for all its jobs. */
export interface JobEnvironment {
  readonly files: FileStore
  readonly hash: Hash
  readonly clock: Clock
  readonly lz4?: Lz4 | undefined
  readonly handlers: HandlerTable
  readonly slices: TimeSlices
  /** Where others may have precedence. */
  readonly givingWay?: GivingWay | undefined
}

/** What the scheduler and the run of one job say to each other. */
export interface JobControl {
  readonly signal: AbortSignal
  readonly onProgress: (fraction: number) => void
}

/**
 * Resolves or rejects when the handler has, and nothing it created is left unfinished or open.
 *
 * @param spec the handler's own copy
 */
export async function runJob(spec: JobSpec, environment: JobEnvironment, control: JobControl): Promise<JobResult> {
  const { hash, clock, lz4, handlers, slices, givingWay } = environment
  throwIfAborted(control.signal)
  const run = await handlers.resolve(spec.handler)
  throwIfAborted(control.signal)
  const files = new JobFiles(environment.files, spec.outputPrefix)
  try {
    const { signal, onProgress } = control
    const context = new RunContext({
      files,
      hash,
      clock,
      lz4,
      slices,
      givingWay,
      signal,
      onProgress,
      outputPrefix: spec.outputPrefix,
    })
    return portableResult(await run(spec, context), files)
  } finally {
    await files.close()
  }
}
