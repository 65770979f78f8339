/** Jobs in a work queue of a real JetStream server: the suite of schedulers, workers that fall silent, dead letters. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { decodeOffer, decodeSchedulerMail, encodeMail } from '../../src/jobs/nats/job-mail.ts'
import { jobStreams } from '../../src/jobs/nats/job-streams.ts'
import { NatsJobWorker } from '../../src/jobs/nats/nats-job-worker.ts'
import { NatsScheduler } from '../../src/jobs/nats/nats-scheduler.ts'
import { decodeSpec } from '../../src/jobs/wire/job-wire.ts'
import type { BrokerSettings } from '../../src/jobs/remote/settings.ts'
import * as standardHandlers from '../../src/jobs/standard-handlers.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { JetStreamQueues } from '../../src/nats/jet-stream-queues.ts'
import type { JetStream } from '../../src/nats/jet-stream.ts'
import type { Delivery } from '../../src/nats/nats.ts'
import { JobBench } from '../../src/testing/job-bench.ts'
import type { JobSchedulerUnderTest } from '../../src/testing/job-bench.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { openTestFiles } from '../jobs/worker-composition.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const handlers = new HandlerTable({
  [testHandlers.TEST_HANDLERS]: testHandlers,
  [standardHandlers.STANDARD_HANDLERS]: standardHandlers,
})

interface JobPlace extends JobSchedulerUnderTest {
  readonly scheduler: NatsScheduler
  readonly queue: string
  /** As another process would have them. */
  readonly queues: JetStreamQueues
  work(): NatsJobWorker
}

describe('a work queue', skipWithoutNats, () => {
  let place: NatsPlace
  let streams: JetStream
  let workersStreams: JetStream
  let count = 0

  before(async () => {
    place = await NatsPlace.start(1)
    streams = await place.streams()
    workersStreams = await place.streams()
  })
  after(() => place.stop())

  async function openJobs(
    concurrency: number,
    pendingMax: number,
    settings: Partial<BrokerSettings> = {},
  ): Promise<JobPlace> {
    const folder = mkdtempSync(join(tmpdir(), 'varve-nats-jobs-'))
    const files = await openTestFiles(folder)
    const queue = `q${++count}`
    const placesOfJobs = { concurrency, urgentPlaces: 0, pendingMax: 100 }
    const inner = new InlineScheduler({ files, hash, clock, handlers, settings: placesOfJobs })
    const queues = new JetStreamQueues(workersStreams)
    const scheduler = new NatsScheduler({
      streams,
      queues: new JetStreamQueues(streams),
      queue,
      clock,
      random,
      local: inner,
      pendingMax,
      settings,
    })
    const workers: NatsJobWorker[] = []
    const { leaseMs } = settings
    const lease = leaseMs === undefined ? {} : { leaseMs }
    return {
      scheduler,
      queue,
      queues,
      files,
      clock,
      work: () => {
        const worker = new NatsJobWorker({ queues, queue, jobs: inner, clock, places: concurrency, ...lease })
        workers.push(worker)
        return worker
      },
      close: async () => {
        await scheduler.close()
        for (const worker of workers) await worker.close()
        await inner.close()
        rmSync(folder, { recursive: true })
      },
    }
  }

  testJobScheduler({
    test,
    name: 'jobs on JetStream',
    isolated: false,
    open: async ({ concurrency, pendingMax }) => {
      const jobs = await openJobs(concurrency, pendingMax)
      jobs.work()
      return jobs
    },
    skip: [],
  })

  /** Takes the next job of a queue, as a worker that says nothing more of it. */
  async function takeAndFallSilent({ queues, queue }: JobPlace): Promise<{ delivery: Delivery; suffix: string }> {
    const { jobs, ordinary } = jobStreams(queue, 1)
    for (;;) {
      const delivery = await queues.next(jobs.name, ordinary).catch(() => undefined)
      if (delivery !== undefined) {
        const { address, key } = decodeOffer(delivery.data)
        const control = 'nobody'
        const answer = decodeSchedulerMail(await queues.ask(address, encodeMail({ type: 'begin', key, control })))
        if (answer.type === 'run') return { delivery, suffix: answer.suffix }
      }
      await clock.turn()
    }
  }

  test('a job whose worker falls silent is given to another, under another name, and is done once', async () => {
    const jobs = await openJobs(1, 10, { leaseMs: 400, startMs: 20_000 })
    const bench = new JobBench(jobs)
    const { result } = jobs.scheduler.submit(bench.spec('write', { parameters: ['content'] }))
    const { suffix } = await takeAndFallSilent(jobs)
    assert.equal(suffix, '')
    jobs.work()
    const { outputs } = await result
    assert.match(outputs[0]?.ref.name ?? '', /^job-1-t2-/)
    assert.equal((await jobs.files.list()).length, 1)
    assert.equal(jobs.scheduler.localCount, 0)
    await jobs.close()
  })

  test('a job over which three workers fall silent fails, and is a dead letter', async () => {
    const jobs = await openJobs(1, 10, { leaseMs: 200, startMs: 20_000 })
    const bench = new JobBench(jobs)
    const spec = bench.spec('write', { parameters: ['content'] })
    const { result } = jobs.scheduler.submit(spec)
    const failed = assert.rejects(result, (error) => isCode(error, 'JOB_FAILED') && /fallen silent/.test(error.message))
    for (const suffix of ['', 't2-', 't3-']) assert.equal((await takeAndFallSilent(jobs)).suffix, suffix)
    await failed
    const letter = await streams.message(`${jobs.queue}-dead-jobs`, 1)
    assert.deepEqual(decodeSpec(letter?.data ?? new Uint8Array(0)).id, spec.id)
    await jobs.close()
  })

  test('a job that no worker comes for runs here, and one whose scheduler has gone is not begun', async () => {
    const jobs = await openJobs(1, 10, { startMs: 300 })
    const bench = new JobBench(jobs)
    const { outputs } = await jobs.scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
    assert.match(outputs[0]?.ref.name ?? '', /^job-1-l-/)
    assert.equal(jobs.scheduler.localCount, 1)
    const { jobs: stream, ordinary } = jobStreams(jobs.queue, 1)
    const spec = Buffer.from('nobody asks whether this can be read')
    await streams.publish(stream.name, ordinary, encodeMail({ address: '_INBOX.gone', key: 'x', spec }))
    await streams.publish(stream.name, ordinary, Buffer.from('no job at all'))
    jobs.work()
    const empty = async (): Promise<boolean> => (await streams.state(stream.name))?.messages === 0
    await bench.until(empty)
    assert.equal((await jobs.files.list()).length, 1, 'nothing has run')
    await jobs.close()
  })
})
