/** Jobs in a work queue on three JetStream servers, each of which is killed while jobs wait and run, and comes back. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { jobStreams } from '../../src/jobs/nats/job-streams.ts'
import type { NatsScheduler } from '../../src/jobs/nats/nats-scheduler.ts'
import { JobBench } from '../../src/testing/job-bench.ts'
import { openJobPlace } from './job-place.ts'
import { NatsPlace, skipWithoutNats } from './nats-place.ts'

const JOBS_PER_ROUND = 12
// With all servers there.
const CALM_BATCHES_MAX = 20

describe('a work queue on three servers', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(3)
  })
  after(() => place.stop())

  test('every job of two shards is done once while servers are killed one after the other', async (context) => {
    const [streams, workersStreams] = [await place.streams(), await place.streams()]
    const jobs = await openJobPlace({
      streams,
      workersStreams,
      queue: 'cluster',
      concurrency: 2,
      replicas: 3,
      // Longer than an election: what nobody can begin meanwhile waits.
      settings: { startMs: 60_000, leaseMs: 15_000 },
    })
    const bench = new JobBench(jobs)
    const shards = [jobs.scheduler, jobs.submitter('b')]
    jobs.work()
    jobs.work()
    const results: Promise<string>[] = []
    const submit = (scheduler: NatsScheduler): void => {
      const id = `round-${results.length}-`
      const spec = bench.spec('write', { parameters: [`content of ${id}`], outputPrefix: id })
      results.push(scheduler.submit(spec).result.then(({ outputs }) => outputs[0]?.ref.name ?? 'nothing'))
    }
    const stream = jobStreams(jobs.queue, 3).jobs.name
    for (let round = 0; round < 2; round++) {
      const gate = await bench.occupy(1)
      for (let index = 0; index < JOBS_PER_ROUND; index++) submit(shards[index % 2] as NatsScheduler)
      // The first time the leader, then one of the others: while one job runs and more wait.
      const leader = (await place.servers.leader(stream)) ?? 0
      const victim = round === 0 ? leader : (leader + 1) % 3
      await place.servers.kill(victim)
      for (let index = 0; index < JOBS_PER_ROUND; index++) submit(shards[index % 2] as NatsScheduler)
      await gate.open()
      await Promise.all(results)
      place.servers.run(victim)
      await place.servers.ready()
      for (const prefix of ['open-gate', 'waiting-'])
        await jobs.files.remove((await jobs.files.list(prefix)).map(({ name }) => name))
    }
    const localCount = (): number => shards.reduce((sum, shard) => sum + shard.localCount, 0)
    // What cannot be put into the queue during an election is done here, and that may have been all of them.
    for (let batch = 0; batch < CALM_BATCHES_MAX && localCount() === results.length; batch++) {
      for (let index = 0; index < JOBS_PER_ROUND; index++) submit(shards[index % 2] as NatsScheduler)
      await Promise.all(results)
    }
    const names = await Promise.all(results)
    assert.equal(new Set(names).size, results.length, 'every job was answered, each with a file of its own')
    const files = (await jobs.files.list('round-')).map(({ name }) => name)
    for (const name of names) assert.ok(files.includes(name as never), `${name} is there`)
    const local = localCount()
    assert.ok(local < names.length, 'workers have done none')
    context.diagnostic(`${names.length} jobs, ${local} ran here, ${files.length - names.length} files of no use`)
    await jobs.close()
  })
})
