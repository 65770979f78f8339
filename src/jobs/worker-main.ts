/**
 * The entry of a worker thread: composes itself from plain data, then runs one job after another.
 *
 * A handler's stray rejection or exception ends the thread, as it would a process; the scheduler fails the job and
 * starts another.
 */

import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import { encodeError } from '../kernel/error-wire.ts'
import { VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import { HandlerTable } from './handler-table.ts'
import type { HandlerModule } from './handler-table.ts'
import { runJob } from './job-run.ts'
import type { JobEnvironment } from './job-run.ts'
import type { JobSpec } from './jobs.ts'
import { GivingWay } from './precedence.ts'
import { ProgressReporter } from './progress-reporter.ts'
import * as standardHandlers from './standard-handlers.ts'
import { STANDARD_HANDLERS } from './standard-handlers.ts'
import { standBack } from './thread-nice.ts'
import { TimeSlices } from './time-slices.ts'
import type {
  AfterJob,
  ClockFactory,
  ComponentReference,
  FileStoreFactory,
  FileStoreWrapper,
  HashFactory,
  Lz4Factory,
  WorkerAnswer,
  WorkerBirth,
  WorkerComposition,
  WorkerRequest,
} from './worker-protocol.ts'

interface WorkerEnvironment extends JobEnvironment {
  readonly afterJob: (() => void) | undefined
}

class WorkerMain {
  readonly #port: MessagePort
  readonly #progressIntervalMs: number
  /** Settles once; requests that come earlier wait for it. */
  readonly #environment: Promise<WorkerEnvironment>
  #running: AbortController | undefined

  constructor(port: MessagePort, birth: WorkerBirth) {
    this.#port = port
    this.#progressIntervalMs = birth.progressIntervalMs
    standBack(birth.nice)
    this.#environment = compose(birth)
    this.#environment.catch((error: unknown) => {
      this.#answer({ type: 'broken', error: encodeError(error) })
      port.close()
    })
  }

  /** Takes requests until told to stop. */
  listen(): void {
    this.#port.on('message', (request: WorkerRequest) => {
      if (request.type === 'run') void this.#run(request.spec)
      else if (request.type === 'cancel') this.#running?.abort()
      else void this.#stop()
    })
  }

  async #run(spec: JobSpec): Promise<void> {
    assert(this.#running === undefined, 'a worker was given a second job before it answered the first')
    const controller = new AbortController()
    this.#running = controller
    const environment = await this.#environment.catch(() => undefined)
    if (environment === undefined) return // Already said that it is broken.
    const reporter = new ProgressReporter(environment.clock, this.#progressIntervalMs, (fraction) => {
      this.#answer({ type: 'progress', fraction })
    })
    const { onProgress } = reporter
    let answer: WorkerAnswer
    try {
      answer = { type: 'done', result: await runJob(spec, environment, { signal: controller.signal, onProgress }) }
    } catch (error) {
      answer = { type: 'failed', error: encodeError(error) }
    }
    reporter.close()
    this.#running = undefined
    try {
      this.#answer(answer)
    } catch (error) {
      // The handler answered with something that cannot be cloned.
      this.#answer({ type: 'failed', error: encodeError(error) })
    }
    environment.afterJob?.()
  }

  async #stop(): Promise<void> {
    const environment = await this.#environment.catch(() => undefined)
    try {
      await environment?.files.close()
    } finally {
      // Nothing else keeps the thread alive; whatever does is terminated after a while.
      this.#port.close()
    }
  }

  #answer(answer: WorkerAnswer): void {
    this.#port.postMessage(answer)
  }
}

async function compose(birth: WorkerBirth): Promise<WorkerEnvironment> {
  const { composition } = birth
  const [hash, makeClock, makeFiles] = await Promise.all([
    openHash(composition.hash),
    factory(composition.clock) as Promise<ClockFactory>,
    factory(composition.files) as Promise<FileStoreFactory>,
  ])
  const clock = await makeClock(composition.clock.options)
  let files = await makeFiles(composition.files.options, { hash, clock })
  for (const reference of composition.wrappers ?? []) {
    const wrap = (await factory(reference)) as FileStoreWrapper
    files = await wrap(files, reference.options, { hash, clock })
  }
  const lz4 = composition.lz4 && (await ((await factory(composition.lz4)) as Lz4Factory)(composition.lz4.options))
  const { afterJob: reference } = composition
  const call = reference && ((await factory(reference)) as AfterJob)
  const afterJob = call && ((): void => call(reference?.options))
  const slices = new TimeSlices(clock, birth.sliceMs)
  const givingWay = birth.precedence && new GivingWay(birth.precedence, () => clock.monotonic())
  return { files, hash, clock, lz4, afterJob, handlers: handlerTable(composition), slices, givingWay }
}

async function openHash(reference: ComponentReference | undefined): Promise<Hash> {
  return reference === undefined ? loadHash() : ((await factory(reference)) as HashFactory)(reference.options)
}

function handlerTable(composition: WorkerComposition): HandlerTable {
  const modules: Record<string, HandlerModule | (() => Promise<HandlerModule>)> = {
    [STANDARD_HANDLERS]: standardHandlers,
  }
  for (const [specifier, url] of Object.entries(composition.handlers)) modules[specifier] = () => importModule(url)
  return new HandlerTable(modules, importModule)
}

async function factory(reference: ComponentReference): Promise<unknown> {
  const module = await importModule(reference.module)
  const found = Object.hasOwn(module, reference.export) ? module[reference.export] : undefined
  if (typeof found === 'function') return found
  throw new VarveError('INCOMPATIBLE', `${reference.module} exports no function ${reference.export}`, {
    details: { what: 'worker component', expected: `${reference.module}#${reference.export}` },
  })
}

function importModule(specifier: string): Promise<HandlerModule> {
  return import(specifier) as Promise<HandlerModule>
}

if (parentPort === null) throw new Error('worker-main is the entry of a worker thread')
new WorkerMain(parentPort, workerData as WorkerBirth).listen()
