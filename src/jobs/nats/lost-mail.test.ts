/** What is between a scheduler and its workers gets lost for a while: a job is neither forgotten nor done in vain. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import type { Delivery, Mail, Mailbox, StreamSettings, StreamState, Streams, WorkQueues } from '../../nats/nats.ts'
import { plainJobSpec } from '../../testing/plain-job-spec.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs.ts'
import { NatsJobWorker } from './nats-job-worker.ts'
import { NatsScheduler } from './nats-scheduler.ts'

const LEASE_MS = 15_000
const START_MS = 3_600_000
const clockStepMs = 50
const STATE: StreamState = { created: '', first: 0, last: 0, messages: 0 }
const RESULT: JobResult = { outputs: [], statistics: {} }

interface Message {
  readonly subject: string
  readonly data: Uint8Array
  count: number
  /** When it may be delivered, by the clock. */
  dueMs: number
}

/** One queue and its mail, in memory. */
class Server implements WorkQueues, Mail {
  readonly bytesMax = 100_000
  readonly clock: SimulatedClock
  readonly messages = new Map<number, Message>()
  readonly #boxes = new Map<string, (data: Uint8Array) => Uint8Array | undefined>()
  /** Says of a question whether it finds nobody. */
  isLost: (question: number) => boolean = () => false
  questions = 0
  /** How long a worker waits for the answer which jobs there are. */
  pauseMs = 0
  #sequenceLast = 0

  constructor(clock: SimulatedClock) {
    this.clock = clock
  }

  get streams(): Streams {
    return {
      payloadBytesMax: this.bytesMax,
      ensure: async (_settings: StreamSettings) => STATE,
      state: async () => STATE,
      publish: async (_stream, subject, data) => {
        this.messages.set(++this.#sequenceLast, { subject, data: data.slice(), count: 0, dueMs: 0 })
        return { type: 'stored', sequence: this.#sequenceLast }
      },
      message: async (_stream, sequence) => {
        const found = this.messages.get(sequence)
        return found && { sequence, data: found.data }
      },
      read: async () => undefined,
      purge: async () => undefined,
    }
  }

  async ensureQueue(): Promise<void> {}

  async subjects(): Promise<readonly string[]> {
    if (this.pauseMs > 0) await new Promise<void>((resolve) => this.clock.after(this.pauseMs, resolve))
    return [...new Set(Array.from(this.messages.values(), ({ subject }) => subject))]
  }

  async delivered(): Promise<number> {
    return 0
  }

  async next(_stream: string, wanted: string): Promise<Delivery | undefined> {
    const nowMs = this.clock.monotonic()
    for (const [sequence, message] of this.messages) {
      if (message.subject !== wanted || message.dueMs > nowMs) continue
      const wait = (ms: number): void => void (message.dueMs = this.clock.monotonic() + ms)
      wait(LEASE_MS)
      return {
        data: message.data,
        count: ++message.count,
        done: () => void this.messages.delete(sequence),
        renew: () => wait(LEASE_MS),
        giveBack: (delayMs = 0) => wait(delayMs),
      }
    }
    return undefined
  }

  async remove(_stream: string, sequence: number): Promise<boolean> {
    return this.messages.delete(sequence)
  }

  open(answer: (data: Uint8Array) => Uint8Array | undefined, address = `box-${this.#boxes.size}`): Mailbox {
    this.#boxes.set(address, answer)
    return { address, close: () => void this.#boxes.delete(address) }
  }

  async ask(address: string, data: Uint8Array): Promise<Uint8Array> {
    const lost = this.isLost(++this.questions)
    const answer = lost ? undefined : this.#boxes.get(address)?.(data)
    if (answer === undefined) throw new VarveError('IO_FAILED', 'no responders')
    return answer
  }

  tell(): void {}

  listen(subject: string): Mailbox {
    return { address: subject, close: () => undefined }
  }
}

/** Jobs that take `jobMs` and do nothing. */
class IdleJobs implements JobScheduler {
  readonly name = 'idle'
  readonly supports = { sharedMemory: false }
  readonly pending = 0
  readonly pendingMax = 100
  readonly #clock: SimulatedClock
  readonly #jobMs: number
  begun = 0

  constructor(clock: SimulatedClock, jobMs: number) {
    this.#clock = clock
    this.#jobMs = jobMs
  }

  submit({ id }: JobSpec): JobHandle {
    this.begun++
    const result = new Promise<JobResult>((resolve) => this.#clock.after(this.#jobMs, () => resolve(RESULT)))
    return { id, result, progress: () => 0, cancel: () => undefined }
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {}
}

function opened({ jobMs = 1_000, startMs = START_MS, stuckMs = 600_000 } = {}) {
  const clock = new SimulatedClock()
  const server = new Server(clock)
  const [jobs, local] = [new IdleJobs(clock, jobMs), new IdleJobs(clock, jobMs)]
  const places = { queues: server, queue: 'q', clock }
  const settings = { leaseMs: LEASE_MS, startMs, stuckMs }
  const random = new SeededRandom(1)
  const scheduler = new NatsScheduler({ ...places, streams: server.streams, shard: 'a', random, local, settings })
  const work = (): NatsJobWorker => new NatsJobWorker({ ...places, jobs, places: 1, leaseMs: LEASE_MS })
  /** How long it takes, in milliseconds. */
  const during = async (result: Promise<unknown>): Promise<number> => {
    const beganMs = clock.monotonic()
    let settled = false
    const end = (): void => void (settled = true)
    result.then(end, end)
    while (!settled) {
      for (let turn = 0; turn < 3; turn++) await clock.turn()
      clock.advance(clockStepMs)
      assert.ok(clock.monotonic() - beganMs < START_MS, 'it was forgotten')
    }
    await result
    return clock.monotonic() - beganMs
  }
  return { clock, server, scheduler, jobs, local, work, during }
}

test('a job whose scheduler cannot be asked for some seconds is begun by a worker soon after', async () => {
  const { clock, server, scheduler, jobs, work, during } = opened()
  server.isLost = () => clock.monotonic() < 5_000
  const { result } = scheduler.submit(plainJobSpec('a'))
  const worker = work()
  const tookMs = await during(result)
  assert.ok(tookMs < 10_000, `${tookMs} ms`)
  assert.equal(jobs.begun, 1)
  assert.equal(scheduler.localCount, 0)
  await during(worker.close())
})

test('a result that nobody can be told for some seconds is told then, and the job is not done again', async () => {
  const { clock, server, scheduler, jobs, work, during } = opened()
  const { result } = scheduler.submit(plainJobSpec('a'))
  const worker = work()
  server.isLost = (question) => question > 1 && clock.monotonic() < 8_000
  const tookMs = await during(result)
  assert.ok(tookMs < 10_000, `${tookMs} ms`)
  assert.equal(jobs.begun, 1)
  await during(worker.close())
})

test('a result that comes after its lease is not taken for the job, which another worker does', async () => {
  const { clock, server, scheduler, jobs, work, during } = opened()
  const { result } = scheduler.submit(plainJobSpec('a'))
  const worker = work()
  // Longer than the lease at the scheduler; the worker still tries when it is back.
  server.isLost = (question) => question > 1 && clock.monotonic() < 15_800
  const tookMs = await during(result)
  assert.ok(tookMs < 40_000, `${tookMs} ms`)
  assert.equal(jobs.begun, 2)
  assert.equal(scheduler.localCount, 0)
  await during(worker.close())
})

test('a job whose message has gone runs here, however long workers are at work', async () => {
  const { server, scheduler, local, work, during } = opened({ jobMs: 600_000, startMs: 5_000, stuckMs: 3_600_000 })
  const long = scheduler.submit(plainJobSpec('long'))
  const worker = work()
  await during(new Promise<void>((resolve) => void scheduler.ready().then(resolve)))
  const { result } = scheduler.submit(plainJobSpec('a'))
  while (server.messages.size < 2) await during(Promise.resolve())
  server.messages.delete(2)
  const tookMs = await during(result)
  assert.equal(local.begun, 1)
  assert.ok(tookMs < 620_000, `${tookMs} ms`)
  await during(long.result)
  await during(worker.close())
})

test('a worker that is between two jobs counts as one that is at work', async () => {
  const { server, scheduler, jobs, local, work, during } = opened({ jobMs: 4_450, startMs: 5_000 })
  const worker = work()
  const results = Array.from({ length: 8 }, (_, index) => scheduler.submit(plainJobSpec(`job-${index}`)).result)
  server.pauseMs = 400
  await during(Promise.all(results))
  assert.deepEqual([jobs.begun, local.begun], [8, 0])
  await during(worker.close())
})

test('a job whose worker says that it is still at it, and comes no further, is given to others, and then given up', async () => {
  const { scheduler, jobs, local, work, during } = opened({ jobMs: 3_000_000, stuckMs: 60_000 })
  const { result } = scheduler.submit(plainJobSpec('stuck'))
  const failed = assert.rejects(result, /come no further/)
  const workers = [work(), work(), work(), work()]
  const tookMs = await during(failed)
  assert.deepEqual([jobs.begun, local.begun], [3, 0])
  assert.ok(tookMs > 180_000 && tookMs < 300_000, `${tookMs} ms`)
  for (const worker of workers) await during(worker.close())
})

test('a job of a scheduler that has gone leaves the queue without being begun', async () => {
  const { server, scheduler, jobs, work, during } = opened()
  server.isLost = () => true
  void scheduler.submit(plainJobSpec('a'))
  const worker = work()
  const gone = (async () => {
    do await during(Promise.resolve())
    while (server.messages.size > 0)
  })()
  await gone
  assert.equal(jobs.begun, 0)
  await during(worker.close())
})
