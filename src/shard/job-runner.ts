/**
 * Running an engine's plans as jobs: identity and names before, checks after.
 *
 * Nothing a job answers is believed: names must carry its attempt, and the engine judges the rest. What a failed attempt
 * has left behind is removed by the shard, never by the worker.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Epoch, Seqno, ShardId } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import type { JobHandle, JobOutput, JobResult, JobScheduler, JobSpec } from '../jobs/jobs.ts'
import type { JobPlan, ShardComponents, VersionFile } from './shard.ts'

export class JobRunner {
  readonly #shard: ShardId
  readonly #epoch: Epoch
  readonly #files: FileStore
  readonly #jobs: JobScheduler
  readonly #localJobs: JobScheduler
  readonly #verify: (spec: JobSpec, outputs: readonly JobOutput[]) => Promise<void>
  readonly #running = new Set<JobHandle>()
  #idNext = 1
  failures = 0

  constructor(
    components: ShardComponents,
    epoch: Epoch,
    verify: (spec: JobSpec, outputs: readonly JobOutput[]) => Promise<void>,
  ) {
    this.#shard = components.shard
    this.#epoch = epoch
    this.#files = components.files
    this.#jobs = components.jobs
    this.#localJobs = components.localJobs ?? components.jobs
    this.#verify = verify
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * Runs `plan` once.
   *
   * @returns the files it wrote, checked but not committed
   * @throws {VarveError} JOB_FAILED, JOB_REJECTED, ABORTED, CLOSED
   */
  async run(plan: JobPlan, pinnedSeqnos: readonly Seqno[]): Promise<readonly VersionFile[]> {
    const id = String(this.#idNext++)
    const spec: JobSpec = {
      id: `${this.#shard}.e${this.#epoch}-j${id}`,
      attempt: 1,
      ...plan,
      pinnedSeqnos,
      outputPrefix: `${this.#shard}.e${this.#epoch}-j${id}-a1-`,
    }
    const inMemory = spec.inputs.some((input) => input.type === 'memory')
    const scheduler = inMemory && !this.#jobs.supports.sharedMemory ? this.#localJobs : this.#jobs
    await scheduler.ready()
    const handle = scheduler.submit(spec)
    this.#running.add(handle)
    try {
      const result = await handle.result
      this.#check(spec, result)
      await this.#verify(spec, result.outputs)
      return result.outputs.map((output) => ({ ...output, view: new Uint8Array(0) }))
    } catch (error) {
      this.failures++
      await this.#removeOutputs(spec.outputPrefix)
      throw error
    } finally {
      this.#running.delete(handle)
    }
  }

  /** Asks every running job to stop. */
  cancelAll(reason: unknown): void {
    for (const handle of this.#running) handle.cancel(reason)
  }

  #check(spec: JobSpec, result: JobResult): void {
    const names = new Set<string>()
    for (const output of result.outputs) {
      const { name, bytes } = output.ref
      if (!name.startsWith(spec.outputPrefix))
        throw rejected(spec, `output ${name} does not start with ${spec.outputPrefix}`)
      if (names.has(name)) throw rejected(spec, `output ${name} is there twice`)
      if (!(Number.isSafeInteger(bytes) && bytes > 0)) throw rejected(spec, `output ${name} has length ${bytes}`)
      if (output.seqnoFirst > output.seqnoLast) throw rejected(spec, `output ${name} has no seqno range`)
      names.add(name)
    }
  }

  async #removeOutputs(prefix: string): Promise<void> {
    try {
      const left = await this.#files.list(prefix)
      await this.#files.remove(left.map((file) => file.name))
    } catch {
      // Orphans by reference: the next owner collects them.
    }
  }
}

export function rejected(spec: JobSpec, reason: string): VarveError {
  return new VarveError('JOB_REJECTED', `the answer of job ${spec.id} was not installed: ${reason}`, {
    details: { job: spec.id, attempt: spec.attempt, reason },
  })
}
