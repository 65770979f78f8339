/**
 * Worker threads: started when first needed, kept while there is work now and then, replaced when they die.
 *
 * A worker that runs a job keeps the process alive, an idle one does not. Workers that die one after the other without
 * an answer are replaced ever more slowly: something is wrong with all of them.
 */

import { availableParallelism } from 'node:os'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'
import type { Clock, Timer } from '../kernel/clock.ts'
import { decodeError } from '../kernel/error-wire.ts'
import { throwIfAborted } from '../kernel/errors.ts'
import { assert } from '../kernel/assert.ts'
import { portableSpec } from './job-data.ts'
import type { JobControl } from './job-run.ts'
import type { JobResult, JobSpec } from './jobs.ts'
import { Precedence } from './precedence.ts'
import { unstartedWorker } from './unstarted-worker.ts'
import type { WorkerAnswer, WorkerBirth, WorkerComposition, WorkerRequest } from './worker-protocol.ts'
import type { WorkerSettings } from './worker-settings.ts'

// Jobs make few objects and many short-lived buffers, and left to itself a worker's young generation grows to 48 MiB.
// This way two workers had 60 MiB less resident after loading 3M entries, and were as fast.
const YOUNG_GENERATION_MB = 4

/** Cores this process may use. */
export function availableCores(): number {
  return availableParallelism()
}

export interface WorkerPoolOptions {
  /** The compiled `worker-main`; default: the one beside this module. */
  readonly workerUrl?: URL
  readonly composition: WorkerComposition
  readonly clock: Clock
  readonly settings: WorkerSettings
  /** That this process may use. */
  readonly cores: number
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers = new Set<PoolWorker>()
  readonly #idle: PoolWorker[] = []
  readonly #precedence: Precedence
  #startCount = 0
  /** Workers that died since one last answered. */
  #deathsInARow = 0

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#precedence = new Precedence(options.cores)
  }

  /** Runs a job on an idle worker, or a new one: the caller limits how many there are. Settles when it has ended. */
  async run(spec: JobSpec, urgent: boolean, control: JobControl): Promise<JobResult> {
    const nice = urgent ? 0 : this.#options.settings.ordinaryNice
    if (!this.#idle.some((each) => each.nice === nice)) await this.#backOff(control.signal)
    throwIfAborted(control.signal)
    const worker = this.#takeIdle(nice) ?? this.#start(nice)
    worker.rest?.cancel()
    this.#precedence.begin(urgent)
    try {
      return await worker.run(spec, control)
    } finally {
      this.#precedence.end(urgent)
      if (worker.alive) {
        this.#deathsInARow = 0
        this.#rest(worker)
      }
    }
  }

  /** The one that ran last: if there are too many, those at the other end have nothing to do, and end. */
  #takeIdle(nice: number): PoolWorker | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      if (this.#idle[at]?.nice === nice) return this.#idle.splice(at, 1)[0]
    }
    return undefined
  }

  #rest(worker: PoolWorker): void {
    this.#idle.push(worker)
    const { clock, settings } = this.#options
    worker.rest = clock.after(settings.idleMs, () => {
      this.#idle.splice(this.#idle.indexOf(worker), 1)
      void worker.stop()
    })
  }

  /** No job runs any more. Lets every worker close its files and resolves when all threads have ended. */
  async close(): Promise<void> {
    for (const worker of this.#idle) worker.rest?.cancel()
    this.#idle.length = 0
    await Promise.all(Array.from(this.#workers, (worker) => worker.stop()))
  }

  #start(nice: number): PoolWorker {
    const { composition, settings } = this.#options
    const { progressIntervalMs, sliceMs } = settings
    const precedence = nice === 0 ? undefined : this.#precedence.cell
    const birth: WorkerBirth = { composition, progressIntervalMs, sliceMs, nice, precedence }
    const url = this.#options.workerUrl ?? new URL('./worker-main.js', import.meta.url)
    const thread = begin(url, {
      workerData: birth,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      name: `varve jobs ${++this.#startCount}`,
      ...argumentsOverride(process.execArgv),
    })
    const worker = new PoolWorker(thread, nice, this.#options, (expected) => this.#ended(worker, expected))
    this.#workers.add(worker)
    return worker
  }

  #ended(worker: PoolWorker, expected: boolean): void {
    this.#workers.delete(worker)
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
    worker.rest?.cancel()
    if (!expected) this.#deathsInARow++
  }

  /** Two deaths may be one bad job and its second attempt. */
  async #backOff(signal: AbortSignal): Promise<void> {
    if (this.#deathsInARow < 2 || signal.aborted) return
    const { restartDelayMs, restartDelayMsMax } = this.#options.settings
    const delayMs = Math.min(restartDelayMsMax, restartDelayMs * 2 ** (this.#deathsInARow - 2))
    // A job waits for this, so the process must not end before; the clock alone does not keep it alive.
    const { port1: hold } = new MessageChannel()
    hold.on('message', () => undefined)
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(delayMs, resolve)
      signal.addEventListener('abort', () => (timer.cancel(), resolve()), { once: true })
    })
    hold.close()
  }
}

/** Of what the system refuses, Node throws some at once and tells the rest as the thread's error. */
function begin(url: URL, options: WorkerOptions): Worker {
  try {
    return new Worker(url, options)
  } catch (error) {
    throw unstartedWorker(error)
  }
}

/**
 * Threads inherit Node's arguments, and `--input-type` (a module from standard input, or from `-e`) forbids every file.
 * Only then are they replaced: Node refuses some arguments when they are given, but not when they are inherited.
 */
function argumentsOverride(inherited: readonly string[]): { execArgv?: string[] } {
  return inherited.some((argument) => argument.startsWith('--input-type')) ? { execArgv: [] } : {}
}

interface Assignment extends JobControl {
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: unknown) => void
}

/** One thread and the one job it runs at a time. */
class PoolWorker {
  /** How far its thread stands back. */
  readonly nice: number
  readonly #thread: Worker
  readonly #options: WorkerPoolOptions
  readonly #onEnd: (expected: boolean) => void
  readonly #exited: Promise<void>
  #assignment: Assignment | undefined
  /** Why it ends, where that is known before it has. */
  #reason: unknown
  /** The pool wanted it to end. */
  #dismissed = false
  /** Takes jobs. */
  alive = true
  /** Runs while it is idle. */
  rest: Timer | undefined
  #stopping: Promise<void> | undefined

  /** @param onEnd called once, when the thread takes no more jobs; `expected` when the pool wanted it to end */
  constructor(thread: Worker, nice: number, options: WorkerPoolOptions, onEnd: (expected: boolean) => void) {
    this.nice = nice
    this.#thread = thread
    this.#options = options
    this.#onEnd = onEnd
    this.#exited = new Promise((resolve) => {
      thread.on('exit', (code) => {
        this.#end(code)
        resolve()
      })
    })
    thread.on('message', (answer: WorkerAnswer) => this.#receive(answer))
    // The exit event follows and ends the job.
    thread.on('error', (error) => (this.#reason ??= unstartedWorker(error)))
    thread.on('messageerror', (error) => this.#giveUp(error))
    thread.unref()
  }

  async run(spec: JobSpec, control: JobControl): Promise<JobResult> {
    assert(this.alive, 'a job was given to a worker that has ended')
    assert(this.#assignment === undefined, 'a worker was given a second job')
    let grace: Timer | undefined
    const cancel = (): void => {
      this.#send({ type: 'cancel' })
      grace = this.#options.clock.after(this.#options.settings.cancelGraceMs, () => this.#dismiss())
    }
    // Throws for parameters that cannot be cloned, while nothing has begun.
    this.#send({ type: 'run', spec: portableSpec(spec) })
    this.#thread.ref()
    control.signal.addEventListener('abort', cancel, { once: true })
    try {
      return await new Promise<JobResult>((resolve, reject) => {
        this.#assignment = { signal: control.signal, onProgress: control.onProgress, resolve, reject }
      })
    } finally {
      grace?.cancel()
      control.signal.removeEventListener('abort', cancel)
      this.#thread.unref()
    }
  }

  /** Resolves when the thread has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#dismissed = true
    this.#thread.ref()
    const grace = this.#options.clock.after(this.#options.settings.stopGraceMs, () => this.#dismiss())
    this.#send({ type: 'stop' })
    await this.#exited
    grace.cancel()
  }

  #receive(answer: WorkerAnswer): void {
    if (answer.type === 'progress') this.#assignment?.onProgress(answer.fraction)
    else if (answer.type === 'done') this.#release()?.resolve(answer.result)
    else if (answer.type === 'failed') this.#release()?.reject(decodeError(answer.error))
    else this.#giveUp(decodeError(answer.error))
  }

  /** The assignment, which has been answered. */
  #release(): Assignment | undefined {
    const assignment = this.#assignment
    this.#assignment = undefined
    return assignment
  }

  #end(exitCode: number): void {
    this.alive = false
    this.#onEnd(this.#dismissed)
    this.#release()?.reject(this.#reason ?? new Error(`the worker thread ended with exit code ${exitCode}`))
  }

  #dismiss(): void {
    this.#dismissed = true
    void this.#thread.terminate()
  }

  #giveUp(reason: unknown): void {
    this.#reason ??= reason
    void this.#thread.terminate()
  }

  #send(request: WorkerRequest): void {
    this.#thread.postMessage(request)
  }
}
