/**
 * Running an engine's plans as jobs: identity and names before, checks after.
 *
 * Nothing a job answers is believed: names must carry its attempt, files that were written elsewhere must be there in full
 * length, and the engine judges the rest. What a failed attempt has left behind is removed by the shard, never by the
 * worker. Workers elsewhere that are wrong again and again are not asked for a while.
 */

import { abortable } from '../kernel/abortable.ts'
import type { Clock } from '../kernel/clock.ts'
import { isCode, VarveError } from '../kernel/errors.ts'
import type { Seqno, ShardId } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs/jobs.ts'
import { Distrust } from './distrust.ts'
import { jobName } from './file-names.ts'
import type { FileMaker } from './file-names.ts'
import type { AnsweredJob, JobPlan, ShardComponents, VersionFile } from './shard.ts'
import { within } from './within.ts'

// Space that they take is free before the next attempt; a store that is silent is not waited for with every one.
const REMOVAL_MS_MAX = 5_000

export class JobRunner {
  readonly #shard: ShardId
  readonly #clock: Clock
  readonly #maker: FileMaker
  readonly #files: FileStore
  readonly #jobs: JobScheduler
  readonly #localJobs: JobScheduler
  readonly #verify: (jobs: readonly AnsweredJob[]) => Promise<void>
  readonly #impatience: AbortSignal | undefined
  readonly #running = new Set<JobHandle>()
  #idNext = 1
  failures = 0
  /** Of workers elsewhere. */
  readonly distrust: Distrust

  /** @param impatience aborts when jobs that do not end though they were asked to are not waited for any more */
  constructor(
    components: ShardComponents,
    maker: FileMaker,
    verify: (jobs: readonly AnsweredJob[]) => Promise<void>,
    impatience?: AbortSignal,
  ) {
    this.#shard = components.shard
    this.#clock = components.clock
    this.#maker = maker
    this.#files = components.files
    this.#jobs = components.jobs
    this.#localJobs = components.localJobs ?? components.jobs
    this.#verify = verify
    this.distrust = new Distrust(components.clock)
    this.#impatience = impatience
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * Runs `plans` once, at the same time as far as the scheduler has places.
   *
   * @returns the files they wrote, in the order of the plans, checked but not committed
   * @throws {VarveError} JOB_FAILED, JOB_REJECTED, ABORTED, CLOSED — what the first to fail said; the others have ended too
   */
  async run(plans: readonly JobPlan[], pinnedSeqnos: readonly Seqno[]): Promise<readonly VersionFile[]> {
    if (plans.length === 0) return []
    const specs = plans.map((plan) => this.#specOf(plan, pinnedSeqnos))
    const elsewhere = specs.some((spec) => this.#isElsewhere(this.#schedulerFor(spec)))
    const handles: JobHandle[] = []
    let failure: { readonly error: unknown } | undefined
    const failed = (error: unknown): void => {
      failure ??= { error }
      // What one job has lost the others cannot replace.
      for (const handle of handles) handle.cancel(error)
    }
    const answers = await Promise.all(
      specs.map(async (spec): Promise<readonly AnsweredJob[]> => {
        try {
          const result = await this.#submit(spec, () => failure !== undefined, handles)
          if (result === undefined) return []
          this.#check(spec, result)
          await this.#checkFiles(spec, result)
          return [{ spec, ...result }]
        } catch (error) {
          failed(error)
          return []
        }
      }),
    )
    try {
      if (failure !== undefined) throw failure.error
      const jobs = answers.flat()
      await abortable(this.#verify(jobs), this.#impatience)
      if (elsewhere) this.distrust.accepted()
      return jobs.flatMap(({ outputs }) => outputs.map((output) => ({ ...output, view: new Uint8Array(0) })))
    } catch (error) {
      this.failures++
      if (elsewhere && isCode(error, 'JOB_REJECTED')) this.distrust.rejected()
      const removed = Promise.all(specs.map((spec) => this.#removeOutputs(spec.outputPrefix)))
      await within(this.#clock, REMOVAL_MS_MAX, removed)
      throw error
    }
  }

  /** Asks every running job to stop. */
  cancelAll(reason: unknown): void {
    for (const handle of this.#running) handle.cancel(reason)
  }

  #specOf(plan: JobPlan, pinnedSeqnos: readonly Seqno[]): JobSpec {
    checkPlan(plan)
    const name = jobName(this.#shard, this.#maker, this.#idNext++)
    return { id: name, attempt: 1, ...plan, pinnedSeqnos, outputPrefix: `${name}-a1-` }
  }

  #schedulerFor(spec: JobSpec): JobScheduler {
    if (hasMemory(spec)) return this.#jobs.supports.sharedMemory ? this.#jobs : this.#localJobs
    // What needs labels, workers alone may have.
    return this.distrust.active && spec.requirements.labels.length === 0 ? this.#localJobs : this.#jobs
  }

  /** Who shares memory with the shard is in its process. */
  #isElsewhere(scheduler: JobScheduler): boolean {
    return scheduler !== this.#localJobs && !scheduler.supports.sharedMemory
  }

  /** The answer; undefined where the job is not wanted any more by the time there is room for it. */
  async #submit(spec: JobSpec, isVain: () => boolean, handles: JobHandle[]): Promise<JobResult | undefined> {
    const inMemory = hasMemory(spec)
    const scheduler = this.#schedulerFor(spec)
    await scheduler.ready()
    if (isVain()) return undefined
    const handle = scheduler.submit(spec)
    handles.push(handle)
    this.#running.add(handle)
    try {
      // What was lent memory is at work here, and ends by itself.
      return await (inMemory ? handle.result : abortable(handle.result, this.#impatience))
    } finally {
      this.#running.delete(handle)
    }
  }

  #check(spec: JobSpec, result: JobResult): void {
    const names = new Set<string>()
    for (const output of result.outputs) {
      const { name, bytes } = output.ref
      if (!name.startsWith(spec.outputPrefix))
        throw rejected(spec, `output ${name} does not start with ${spec.outputPrefix}`)
      if (names.has(name)) throw rejected(spec, `output ${name} is there twice`)
      if (!(Number.isSafeInteger(bytes) && bytes > 0)) throw rejected(spec, `output ${name} has length ${bytes}`)
      const { seqnoFirst, seqnoLast, group } = output
      // Written so that NaN is no seqno, either.
      if (!(isCount(seqnoFirst) && isCount(seqnoLast) && seqnoFirst <= seqnoLast))
        throw rejected(spec, `output ${name} has no seqno range: ${seqnoFirst} to ${seqnoLast}`)
      if (!isCount(group)) throw rejected(spec, `output ${name} has no group: ${group}`)
      names.add(name)
    }
  }

  /** A worker elsewhere may have written to other files than the shard's: with the inputs gone, nothing would be left. */
  async #checkFiles(spec: JobSpec, { outputs }: JobResult): Promise<void> {
    // Who shares memory with the shard is in its process.
    if (hasMemory(spec) || this.#jobs.supports.sharedMemory) return
    for (const { ref } of outputs) {
      try {
        await (await this.#files.open(ref)).close()
      } catch (error) {
        if (!isCode(error, 'FILE_MISSING')) throw error
        throw rejected(spec, `${error.message}, where its shard has its files: does its worker have others?`)
      }
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

/** What an engine's author forgets is said here by name, not somewhere in a scheduler. @throws {TypeError} */
function checkPlan({ handler, inputs, requirements, priority, stuckMs }: Partial<JobPlan>): void {
  const { module, export: name } = handler ?? {}
  if (typeof module !== 'string' || typeof name !== 'string')
    throw new TypeError('the plan of a job has no handler: a module, an export and a version')
  const of = `the plan of a job, ${name} of ${module},`
  if (!Array.isArray(inputs)) throw new TypeError(`${of} has no inputs`)
  if (!(Number(requirements?.memoryBytes) >= 0) || !Array.isArray(requirements?.labels))
    throw new TypeError(`${of} has no requirements: memoryBytes and labels`)
  if (typeof priority !== 'number' || Number.isNaN(priority)) throw new TypeError(`${of} has no priority`)
  if (!(stuckMs === undefined || stuckMs > 0)) throw new TypeError(`${of} has stuckMs ${stuckMs}: a number above 0`)
}

function hasMemory({ inputs }: JobSpec): boolean {
  return inputs.some((input) => input.type === 'memory')
}

/** Of values that a handler has made, which may be elsewhere and is not believed. */
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

export function rejected(spec: JobSpec, reason: string): VarveError {
  return new VarveError('JOB_REJECTED', `the answer of job ${spec.id} was not installed: ${reason}`, {
    details: { job: spec.id, attempt: spec.attempt, reason },
  })
}
