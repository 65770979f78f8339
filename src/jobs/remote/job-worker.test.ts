import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import type { Wire } from '../../rpc/rpc.ts'
import { RpcServer } from '../../rpc/server.ts'
import { plainJobSpec } from '../../testing/plain-job-spec.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs.ts'
import type { BrokeredJob } from './brokered-job.ts'
import { JobBroker } from './job-broker.ts'
import { WorkerService } from './job-service.ts'
import { JobWorker } from './job-worker.ts'

const hash = await loadHash()
const RESULT: JobResult = { outputs: [], statistics: {} }

/** A scheduler in which a job runs until the test, or a cancellation, ends it. */
class HandRunJobs implements JobScheduler {
  readonly name = 'by hand'
  readonly supports = { sharedMemory: false }
  readonly pending = 0
  readonly pendingMax = 1
  /** The jobs that have begun, in order. */
  readonly begun: { readonly id: string; readonly end: (outcome: JobResult | Error) => void }[] = []
  readonly cancelled: string[] = []
  #room: Promise<void> | undefined

  /** Until what is given back is called there is no room. */
  fill(): () => void {
    let empty = (): void => undefined
    this.#room = new Promise<void>((resolve) => (empty = resolve)).then(() => (this.#room = undefined))
    return empty
  }

  submit({ id }: JobSpec): JobHandle {
    if (this.#room !== undefined) throw new VarveError('BUSY', 'there is no room')
    let end = (_outcome: JobResult | Error): void => undefined
    const result = new Promise<JobResult>((resolve, reject) => {
      end = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
    })
    this.begun.push({ id, end })
    const cancel = (): void => {
      this.cancelled.push(id)
      end(new VarveError('ABORTED', 'it was cancelled'))
    }
    return { id, result, progress: () => 0, cancel }
  }

  async ready(): Promise<void> {
    await this.#room
  }

  async close(): Promise<void> {
    for (const { end } of this.begun) end(new VarveError('CLOSED', 'it was closed'))
  }
}

class Bench {
  readonly clock = new SimulatedClock()
  readonly broker = new JobBroker({ clock: this.clock, random: new SeededRandom(1), settings: { leaseMs: 3_000 } })
  readonly jobs = new HandRunJobs()
  readonly worker: JobWorker
  readonly #client: RpcClient
  #wire: Wire | undefined
  #count = 0
  isAway = false

  constructor() {
    const { broker, clock, jobs } = this
    const inner = dialLoopback(new RpcServer({ services: [new WorkerService({ broker })], clock, hash }))
    const dial: typeof inner = async (signal) => {
      if (this.isAway) throw new VarveError('IO_FAILED', 'nobody is there')
      return (this.#wire = await inner(signal))
    }
    this.#client = new RpcClient({ dial, clock, hash, random: new SeededRandom(2) })
    this.worker = new JobWorker({ client: this.#client, jobs, clock, settings: { places: 1 } })
  }

  submit(): BrokeredJob {
    const id = `a.e1-j${++this.#count}`
    return this.broker.submit(id, 'a', plainJobSpec(id), this)
  }

  cut(): void {
    this.#wire?.destroy()
  }

  /** Lets time pass in which everybody hears what is said. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.turns()
      this.clock.advance(100)
    }
  }

  /** Lets everybody hear what was said. */
  async turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.clock.turn()
  }

  async close(): Promise<void> {
    await this.worker.close()
    await this.#client.close()
    this.broker.close()
  }
}

// It ran to its end, for as long as that took: closing waited for it.
test('a worker that is closed while a job waits for room runs it no more', async () => {
  const bench = new Bench()
  const empty = bench.jobs.fill()
  const job = bench.submit()
  await bench.turns()
  assert.equal(job.tries, 1, 'it was pulled')
  let isClosed = false
  const closed = bench.worker.close().then(() => (isClosed = true))
  empty()
  await bench.turns()
  assert.ok(isClosed)
  assert.deepEqual(
    bench.jobs.cancelled,
    bench.jobs.begun.map(({ id }) => id),
  )
  await closed
  await bench.close()
})

test('a job that finds no room with its worker waits for it, and does not fail', async () => {
  const bench = new Bench()
  const empty = bench.jobs.fill()
  const job = bench.submit()
  await bench.turns()
  empty()
  await bench.turns()
  assert.equal(bench.jobs.begun.length, 1)
  bench.jobs.begun[0]?.end(RESULT)
  assert.deepEqual(await job.outcome, { type: 'done', result: RESULT })
  await bench.close()
})

test('a worker tells what the handler has thrown, and not that its own scheduler was given it', async () => {
  const bench = new Bench()
  const job = bench.submit()
  await bench.turns()
  const cause = new VarveError('INCOMPATIBLE', 'another version')
  bench.jobs.begun[0]?.end(new VarveError('JOB_FAILED', 'job failed', { cause }))
  const outcome = await job.outcome
  assert.ok(outcome.type === 'failed' && outcome.error instanceof VarveError)
  assert.equal(outcome.error.code, 'INCOMPATIBLE')
  await bench.close()
})

test('a job goes on for as long as its lease is renewed, and is stopped when the lease has ended or nobody wants it', async () => {
  const bench = new Bench()
  const [first, second] = [bench.submit(), bench.submit()]
  await bench.pass(10_000)
  assert.equal(first.tries, 1, 'three times the lease have passed')
  assert.deepEqual(bench.jobs.cancelled, [])
  bench.broker.cancel(first.key)
  await bench.turns()
  assert.deepEqual(bench.jobs.cancelled, [first.key])
  assert.deepEqual([first.settled, second.tries], [true, 1], 'the place is free for the next')
  // All of it passes at once, and nothing was said meanwhile.
  bench.clock.advance(3_001)
  await bench.turns()
  assert.deepEqual(bench.jobs.cancelled, [first.key, second.key])
  await bench.close()
})

test('a job whose lease has ended while the broker was away is stopped when it is back', async () => {
  const bench = new Bench()
  const job = bench.submit()
  await bench.turns()
  bench.isAway = true
  bench.cut()
  await bench.pass(4_000)
  assert.deepEqual(bench.jobs.cancelled, [], 'nobody has said that it is not wanted')
  bench.isAway = false
  await bench.pass(5_000)
  assert.deepEqual(bench.jobs.cancelled, [job.key])
  await bench.close()
})

test('a worker whose answer nobody has heard, because the broker was away for longer than a call waits, works on', async () => {
  const bench = new Bench()
  bench.submit()
  await bench.turns()
  bench.isAway = true
  bench.cut()
  bench.jobs.begun[0]?.end(RESULT)
  await bench.pass(40_000)
  bench.isAway = false
  const next = bench.submit()
  await bench.pass(3_000)
  assert.ok(bench.jobs.begun.some(({ id }) => id === next.key))
  await bench.close()
})
