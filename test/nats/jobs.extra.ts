/** Jobs in a work queue of a real JetStream server: the suite of schedulers, workers that fall silent, dead letters. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeOffer, decodeSchedulerMail, encodeMail } from '../../src/jobs/nats/job-mail.ts'
import { jobStreams } from '../../src/jobs/nats/job-streams.ts'
import type { NatsScheduler } from '../../src/jobs/nats/nats-scheduler.ts'
import type { BrokerSettings } from '../../src/jobs/remote/settings.ts'
import { decodeSpec } from '../../src/jobs/wire/job-wire.ts'
import { isCode } from '../../src/kernel/errors.ts'
import type { JetStream } from '../../src/nats/jet-stream.ts'
import type { Delivery } from '../../src/nats/nats.ts'
import { JobBench } from '../../src/testing/job-bench.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { openJobPlace } from './job-place.ts'
import type { JobPlace } from './job-place.ts'
import { NatsPlace, clock, skipWithoutNats } from './nats-place.ts'

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

  const openJobs = (
    concurrency: number,
    pendingMax: number,
    settings: Partial<BrokerSettings> = {},
  ): Promise<JobPlace> =>
    openJobPlace({ streams, workersStreams, queue: `q${++count}`, concurrency, pendingMax, settings })

  const waiting = async ({ queue }: JobPlace): Promise<number> =>
    (await streams.state(jobStreams(queue, 1).jobs.name))?.messages ?? 0

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
  async function takeAndFallSilent(
    { queues, queue }: JobPlace,
    leaseMs: number,
  ): Promise<{ delivery: Delivery; suffix: string }> {
    const { jobs, filter } = jobStreams(queue, 1)
    for (;;) {
      const [subject] = await queues.subjects(jobs.name, filter).catch(() => [])
      if (subject !== undefined) await queues.delivered(jobs.name, subject, leaseMs)
      const delivery = subject === undefined ? undefined : await queues.next(jobs.name, subject)
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
    const jobs = await openJobs(1, 10, { leaseMs: 2_000, startMs: 60_000 })
    const bench = new JobBench(jobs)
    const { result } = jobs.scheduler.submit(bench.spec('write', { parameters: ['content'] }))
    const { suffix } = await takeAndFallSilent(jobs, 2_000)
    assert.equal(suffix, '')
    jobs.work()
    const { outputs } = await result
    assert.match(outputs[0]?.ref.name ?? '', /^job-1-t2-/)
    assert.equal((await jobs.files.list()).length, 1)
    assert.equal(jobs.scheduler.localCount, 0)
    await jobs.close()
  })

  test('a job over which three workers fall silent fails, and is a dead letter', async () => {
    const jobs = await openJobs(1, 10, { leaseMs: 1_000, startMs: 60_000 })
    const bench = new JobBench(jobs)
    const spec = bench.spec('write', { parameters: ['content'] })
    const { result } = jobs.scheduler.submit(spec)
    const failed = assert.rejects(result, (error) => isCode(error, 'JOB_FAILED') && /fallen silent/.test(error.message))
    for (const suffix of ['', 't2-', 't3-']) assert.equal((await takeAndFallSilent(jobs, 1_000)).suffix, suffix)
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
    const { jobs: stream } = jobStreams(jobs.queue, 1)
    const subject = `${jobs.queue}.jobs.1.0.-.a`
    const spec = Buffer.from('nobody asks whether this can be read')
    await streams.publish(stream.name, subject, encodeMail({ address: '_INBOX.gone', key: 'x', spec }))
    await streams.publish(stream.name, subject, Buffer.from('no job at all'))
    jobs.work()
    await bench.until(async () => (await waiting(jobs)) === 0)
    assert.equal((await jobs.files.list()).length, 1, 'nothing has run')
    await jobs.close()
  })

  test('shards take turns, however many jobs one of them has, and urgent jobs go first', async () => {
    const jobs = await openJobs(1, 100, { startMs: 60_000 })
    const bench = new JobBench(jobs)
    const modest = jobs.submitter('b')
    const submit = (scheduler: NatsScheduler, prefix: string, priority = 1): Promise<number> => {
      const spec = bench.spec('place', { parameters: 'turn-', outputPrefix: `turn-${prefix}-`, priority })
      return scheduler.submit(spec).result.then(({ statistics }) => statistics['place'] ?? -1)
    }
    const greedy = Array.from({ length: 9 }, (_, index) => submit(jobs.scheduler, `a${index}`))
    await bench.until(async () => (await waiting(jobs)) === 9)
    const others = Array.from({ length: 3 }, (_, index) => submit(modest, `b${index}`))
    const urgent = submit(jobs.scheduler, 'urgent', 0)
    await bench.until(async () => (await waiting(jobs)) === 13)
    jobs.work()
    const places = await Promise.all(others)
    assert.equal(await urgent, 0, 'the urgent job was first')
    // In turn: one of the greedy shard between two of the modest one.
    assert.deepEqual(places, [1, 3, 5])
    assert.equal(new Set([...places, ...(await Promise.all(greedy)), 0]).size, 13, 'every job ran once')
    assert.equal(jobs.scheduler.localCount + modest.localCount, 0)
    await jobs.close()
  })

  test('a shard that has others at work goes behind one that has none', async () => {
    const jobs = await openJobs(1, 100, { startMs: 60_000 })
    const bench = new JobBench(jobs)
    const modest = jobs.submitter('b')
    // A long job of each of two workers, both of the greedy shard; the second worker has had no other turn.
    const gate = (name: string): Promise<unknown> =>
      jobs.scheduler.submit(bench.spec('wait', { parameters: name, outputPrefix: `waits-${name}-` })).result
    const [long, short] = [gate('long'), gate('short')]
    jobs.work()
    jobs.work()
    await bench.until(async () => (await jobs.files.list('')).length === 2)
    const turn = (scheduler: NatsScheduler, prefix: string): Promise<number> =>
      scheduler
        .submit(bench.spec('place', { parameters: 'turn-', outputPrefix: `turn-${prefix}-` }))
        .result.then(({ statistics }) => statistics['place'] ?? -1)
    const late = turn(jobs.scheduler, 'a')
    await bench.until(async () => (await waiting(jobs)) === 3)
    const first = [turn(modest, 'b0'), turn(modest, 'b1')]
    await bench.until(async () => (await waiting(jobs)) === 5)
    await bench.writeFile('short')
    await short
    assert.deepEqual(await Promise.all([...first, late]), [0, 1, 2], 'the long job counts')
    await bench.writeFile('long')
    await long
    await jobs.close()
  })

  test('a worker gets only what it has room and labels for, and what nobody may have is refused', async () => {
    const jobs = await openJobs(1, 10, { startMs: 60_000 })
    const bench = new JobBench(jobs)
    const requirements = { memoryBytes: 500, labels: ['gpu'] }
    const special = jobs.scheduler.submit(bench.spec('write', { parameters: ['x'], requirements }))
    const [small, plain] = [jobs.work({ memoryBytes: 499, labels: ['gpu'] }), jobs.work({ memoryBytes: 500 })]
    await jobs.scheduler.submit(bench.spec('write', { parameters: [] })).result
    assert.equal(await waiting(jobs), 1)
    await Promise.all([small.close(), plain.close()])
    jobs.work({ memoryBytes: 500, labels: ['gpu', 'other'] })
    assert.equal((await special.result).outputs.length, 1)
    const unknown = bench.spec('write', { requirements: { memoryBytes: 0, labels: ['quantum'] } })
    assert.throws(
      () => jobs.scheduler.submit(unknown),
      (error) => isCode(error, 'UNSUPPORTED'),
    )
    await jobs.close()
  })

  test('a job waits on while a worker that could take it is at work, and runs here where none could', async () => {
    const jobs = await openJobs(1, 10, { startMs: 100 })
    const bench = new JobBench(jobs)
    jobs.work({ memoryBytes: 100 })
    const gate = await bench.occupy(1)
    const patient = jobs.scheduler.submit(bench.spec('write', { parameters: ['x'] }))
    const requirements = { memoryBytes: 500, labels: [] }
    const large = await jobs.scheduler.submit(bench.spec('write', { parameters: ['x'], requirements })).result
    assert.match(large.outputs[0]?.ref.name ?? '', /^job-3-l-/)
    await gate.open()
    assert.match((await patient.result).outputs[0]?.ref.name ?? '', /^job-2-0/)
    assert.equal(jobs.scheduler.localCount, 1)
    await jobs.close()
  })

  test('a stream of that name that is another one ends the worker with INCOMPATIBLE', async () => {
    const jobs = await openJobs(1, 10)
    const subjects = [`${jobs.queue}.jobs.>`]
    await streams.ensure({ name: `${jobs.queue}-jobs`, subjects, retention: 'limits', replicas: 1 })
    await assert.rejects(jobs.work().ended, (error) => isCode(error, 'INCOMPATIBLE'))
    await jobs.close()
  })
})
