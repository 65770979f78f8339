/**
 * One job in a queue, from `submit` to its answer: waiting, running, settled.
 *
 * Once cancelled it is never answered otherwise: the reason it was cancelled for wins over what the handler says.
 */

import { VarveError } from '../kernel/errors.ts'
import type { JobControl } from './job-run.ts'
import type { JobHandle, JobResult, JobSpec } from './jobs.ts'

export class QueuedJob implements JobControl {
  readonly spec: JobSpec
  readonly handle: JobHandle
  readonly #controller = new AbortController()
  readonly #resolve: (result: JobResult) => void
  readonly #reject: (error: VarveError) => void
  #progress = 0
  #cancellation: VarveError | undefined

  /** @param onCancel called when the caller cancels for the first time, after `signal` was aborted */
  constructor(spec: JobSpec, onCancel: (job: QueuedJob) => void) {
    this.spec = spec
    let resolve: ((result: JobResult) => void) | undefined
    let reject: ((error: VarveError) => void) | undefined
    const result = new Promise<JobResult>((accept, refuse) => {
      resolve = accept
      reject = refuse
    })
    // Nobody has to listen: background work that fails must not take the process down.
    result.catch(() => undefined)
    this.#resolve = (value) => resolve?.(value)
    this.#reject = (error) => reject?.(error)
    this.handle = Object.freeze({
      id: spec.id,
      result,
      progress: () => this.#progress,
      cancel: (reason?: unknown) => {
        if (this.cancel('ABORTED', reason)) onCancel(this)
      },
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get urgent(): boolean {
    return this.spec.priority <= 0
  }

  /** Never goes back, whatever the handler says, or says again in a second run. */
  readonly onProgress = (fraction: number): void => {
    if (fraction > this.#progress) this.#progress = Math.min(fraction, 1)
  }

  /** False when it was cancelled before. */
  cancel(code: 'ABORTED' | 'CLOSED', reason?: unknown): boolean {
    if (this.#cancellation !== undefined) return false
    const what = code === 'ABORTED' ? 'was cancelled' : 'was ended: its scheduler closed'
    this.#cancellation = new VarveError(code, `job ${this.spec.id} ${what}`, {
      details: { job: this.spec.id, attempt: this.spec.attempt },
      cause: reason,
    })
    this.#controller.abort(this.#cancellation)
    return true
  }

  succeed(result: JobResult): void {
    if (this.#cancellation !== undefined) return this.#reject(this.#cancellation)
    this.#progress = 1
    this.#resolve(result)
  }

  fail(error: unknown): void {
    this.#reject(this.#cancellation ?? jobFailed(this.spec, error))
  }
}

/** What `JobHandle.result` rejects with where the handler has thrown `error`. */
export function jobFailed(spec: JobSpec, error: unknown): VarveError {
  const handler = `${spec.handler.module}#${spec.handler.export}`
  const reason = error instanceof Error ? error.message : String(error)
  return new VarveError('JOB_FAILED', `job ${spec.id}, attempt ${spec.attempt} of ${handler}: ${reason}`, {
    details: {
      job: spec.id,
      attempt: spec.attempt,
      handler,
      ...(error instanceof VarveError ? { causeCode: error.code } : {}),
    },
    cause: error,
  })
}
