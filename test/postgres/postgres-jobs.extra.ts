/** Jobs through a table of a PostgreSQL server: what every scheduler promises, and what happens when one side goes away. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { JobHandle, JobResult, JobSpec } from '../../src/jobs/jobs.ts'
import type { PostgresScheduler } from '../../src/jobs/postgres/postgres-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import { JobBench, rejection } from '../../src/testing/job-bench.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { handlers, hash } from '../jobs/remote-place.ts'
import { openJobPlace, random } from './job-place.ts'
import type { PostgresJobPlace, PostgresJobPlaceOptions } from './job-place.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const WORKER = fileURLToPath(new URL('./worker-process.js', import.meta.url))
const place = await PostgresPlace.start()

after(() => place.stop())

const openPlace = (options: PostgresJobPlaceOptions): Promise<PostgresJobPlace> => openJobPlace(place, options)

testJobScheduler({
  test: (name, options, body) => test(name, { ...options, ...place.skip }, body),
  name: 'jobs through PostgreSQL',
  isolated: false,
  open: async ({ concurrency, pendingMax }) => {
    const opened = await openPlace({ concurrency, pendingMax })
    await opened.worker()
    return opened
  },
})

test('two workers share the jobs of two shards, each job runs once, and shards take turns', place.skip, async () => {
  const opened = await openPlace({ concurrency: 4 })
  const bench = new JobBench(opened)
  const other = await opened.submitter('other')
  const results: Promise<number>[] = []
  const submit = (scheduler: PostgresScheduler, shard: string, index: number): void => {
    const spec = bench.spec('place', { parameters: 'turn-', outputPrefix: `turn-${shard}${index}-` })
    results.push(scheduler.submit(spec).result.then(({ statistics }) => statistics['place'] ?? -1))
  }
  for (let index = 0; index < 12; index++) submit(opened.scheduler, 'a', index)
  await bench.until(async () => (await waitingJobs(opened)) === 12)
  for (let index = 0; index < 4; index++) submit(other, 'b', index)
  await bench.until(async () => (await waitingJobs(opened)) === 16)
  const workers = [await opened.worker({ places: 1 }), await opened.worker({ places: 1 })]
  const places = await Promise.all(results)
  assert.equal((await opened.files.list('turn-')).length, 16, 'every job ran once')
  // Of the modest one's jobs none waits for more than a few of the other's.
  assert.ok(Math.max(...places.slice(12)) <= 10, `places of the modest shard: ${places.slice(12).join(', ')}`)
  assert.equal(workers.length, 2)
  assert.equal(opened.scheduler.localCount + other.localCount, 0)
  await opened.close()
})

test(
  'a job whose worker is killed is given to another under another prefix, once its lease has ended',
  place.skip,
  async () => {
    const leaseMs = 3_000
    const opened = await openPlace({ settings: { leaseMs } })
    const bench = new JobBench(opened)
    const parameters = [WORKER, place.running.url, opened.schema, opened.folder, String(leaseMs)]
    const child = spawn(execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const handle = opened.scheduler.submit(bench.spec('wait', { parameters: 'open-gate', outputPrefix: 'killed-' }))
    await bench.until(async () => (await opened.files.list('killed-')).length > 0)
    // It keeps its lease for as long as it lives.
    const begun = clock.monotonic()
    while (clock.monotonic() - begun < 2 * leaseMs) await clock.turn()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await opened.worker()
    await bench.until(async () => (await opened.files.list('killed-t2-')).length > 0)
    await bench.writeFile('open-gate')
    const { outputs } = await handle.result
    assert.ok(outputs.every(({ ref }) => ref.name.startsWith('killed-t2-')))
    assert.equal(opened.scheduler.localCount, 0)
    await opened.close()
  },
)

test(
  'a job over which as many workers as may try fall silent is given up, and its work is not taken for a while',
  place.skip,
  async () => {
    const settings = { leaseMs: 100, triesMax: 2, failuresMax: 1, quarantineMs: 60_000, startMs: 60_000 }
    const opened = await openPlace({ settings })
    const bench = new JobBench(opened)
    const jobs = new StuckScheduler()
    const handle = opened.scheduler.submit(bench.spec('endless', { outputPrefix: 'silent-' }))
    for (let tries = 1; tries <= 2; tries++) {
      const database = opened.database()
      await PostgresWorker.open({ database, jobs, random, places: { places: 1 }, settings })
      await bench.until(async () => (await triesOf(opened)) === tries)
      // Its connections end, and it says nothing any more.
      await database.close()
    }
    const error = await rejection(handle.result, 'JOB_FAILED')
    assert.match(error.message, /silent/)
    jobs.release()
    const again = opened.scheduler.submit(bench.spec('endless', { outputPrefix: 'silent-' }))
    assert.match((await rejection(again.result, 'JOB_FAILED')).message, /failed too often/)
    await opened.worker()
    await opened.scheduler.submit(bench.spec('write', { parameters: [] })).result
    await opened.close()
  },
)

test(
  'a job whose worker says that it is still at it, and comes no further, is given to others, and then given up',
  place.skip,
  async () => {
    const opened = await openPlace({ concurrency: 4, settings: { leaseMs: 3_000, triesMax: 2, stuckMs: 2_000 } })
    const bench = new JobBench(opened)
    await opened.worker({ places: 1 })
    await opened.worker({ places: 1 })
    const patient = opened.scheduler.submit({
      ...bench.spec('endless', { outputPrefix: 'patient-' }),
      stuckMs: 600_000,
    })
    await bench.until(async () => (await triesOf(opened)) === 1)
    const begun = clock.monotonic()
    const stuck = opened.scheduler.submit(bench.spec('endless', { outputPrefix: 'stuck-' }))
    const error = await rejection(stuck.result, 'JOB_FAILED')
    assert.match(error.message, /come no further/)
    assert.ok(clock.monotonic() - begun >= 4_000, 'both had their time')
    assert.equal(await waitingJobs(opened), 0)
    // Its worker works on.
    await opened.scheduler.submit(bench.spec('write', { parameters: [] })).result
    patient.cancel()
    await rejection(patient.result, 'ABORTED')
    assert.equal(opened.scheduler.localCount, 0)
    await opened.close()
  },
)

test(
  'work that has failed several times in a row is not taken for a while, and other work is',
  place.skip,
  async () => {
    const opened = await openPlace({ settings: { failuresMax: 3, quarantineMs: 60_000 } })
    const bench = new JobBench(opened)
    await opened.worker()
    const failing = (): JobSpec => bench.spec('fail', { outputPrefix: 'failing-' })
    for (let round = 0; round < 3; round++) {
      const error = await rejection(opened.scheduler.submit(failing()).result, 'JOB_FAILED')
      assert.equal(error.details['causeCode'], 'TABLE_CORRUPT')
    }
    const refused = await rejection(opened.scheduler.submit(failing()).result, 'JOB_FAILED')
    assert.equal(refused.details['causeCode'], 'JOB_FAILED')
    await opened.scheduler.submit(bench.spec('write', { parameters: [] })).result
    await opened.close()
  },
)

test('a worker gets only what it has room and labels for', place.skip, async () => {
  const opened = await openPlace({ settings: { startMs: 60_000 } })
  const bench = new JobBench(opened)
  const plain = await opened.worker({ memoryBytes: 100 })
  const requirements = { memoryBytes: 500, labels: ['gpu'] }
  const special = opened.scheduler.submit(bench.spec('write', { parameters: ['x'], requirements }))
  await opened.scheduler.submit(bench.spec('write', { parameters: [] })).result
  assert.equal(await waitingJobs(opened), 1)
  await plain.close()
  await opened.worker({ memoryBytes: 500, labels: ['gpu', 'other'] })
  assert.equal((await special.result).outputs.length, 1)
  await opened.close()
})

// One that needed more than any worker had waited for as long as any shard kept any worker busy.
test(
  'a job waits on while a worker that could take it is at work, and runs here where none could, however busy they are',
  place.skip,
  async () => {
    const opened = await openPlace({ concurrency: 4, settings: { startMs: 500 } })
    const bench = new JobBench(opened)
    await opened.worker({ places: 1, memoryBytes: 100 })
    const gate = await bench.occupy(1)
    const patient = opened.scheduler.submit(bench.spec('write', { parameters: ['x'] }))
    const here = async (requirements: JobSpec['requirements']): Promise<string> => {
      const { outputs } = await opened.scheduler.submit(bench.spec('write', { parameters: ['x'], requirements })).result
      return outputs[0]?.ref.name ?? ''
    }
    assert.match(await here({ memoryBytes: 500, labels: [] }), /^job-3-l-/)
    assert.match(await here({ memoryBytes: 0, labels: ['gpu'] }), /^job-4-l-/)
    await gate.open()
    assert.match((await patient.result).outputs[0]?.ref.name ?? '', /^job-2-0/)
    assert.equal(opened.scheduler.localCount, 2)
    await opened.close()
  },
)

test(
  'a job that waits behind ever others of a worker runs there: not here in a moment between two',
  place.skip,
  async () => {
    const opened = await openPlace({ concurrency: 4, settings: { startMs: 400 } })
    const bench = new JobBench(opened)
    await opened.worker({ places: 1 })
    const results = Array.from({ length: 400 }, (_, index) => {
      const spec = bench.spec('write', { parameters: ['x'], outputPrefix: `many-${index}-` })
      // One of those at the end has waited for much longer than `startMs`.
      return opened.scheduler.submit(spec).result
    })
    await Promise.all(results)
    assert.equal(opened.scheduler.localCount, 0)
    await opened.close()
  },
)

test('a job that nobody asks for runs here, and so does one whose database is not there', place.skip, async () => {
  const opened = await openPlace({ settings: { startMs: 200 }, awayMs: 300 })
  const bench = new JobBench(opened)
  const run = async (): Promise<string> => {
    const { outputs } = await opened.scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
    return outputs[0]?.ref.name ?? ''
  }
  assert.match(await run(), /^job-1-l-/)
  await place.running.crash()
  assert.match(await run(), /^job-2-l-/)
  assert.equal(opened.scheduler.localCount, 2)
  await place.running.restart()
  await opened.worker()
  assert.match(await run(), /^job-3-0/)
  await opened.close()
})

/** Takes every job, and ends it when the test does. */
class StuckScheduler extends InlineScheduler {
  readonly #release: (() => void)[] = []

  constructor() {
    super({ files: undefined as never, hash, clock, handlers })
  }

  override submit({ id }: JobSpec): JobHandle {
    const result = new Promise<JobResult>((resolve) =>
      this.#release.push(() => resolve({ outputs: [], statistics: {} })),
    )
    return { id, result, progress: () => 0, cancel: () => {} }
  }

  release(): void {
    for (const release of this.#release) release()
  }
}

async function waitingJobs(opened: PostgresJobPlace): Promise<number> {
  return count(opened, 'SELECT count(*) AS value FROM $ WHERE state = 0')
}

async function triesOf(opened: PostgresJobPlace): Promise<number> {
  return count(opened, 'SELECT coalesce(max(tries), 0) AS value FROM $')
}

async function count({ schema }: PostgresJobPlace, text: string): Promise<number> {
  const database = place.database(schema)
  const { rows } = await database.repeat({ name: '', text: text.replace('$', database.table('job')) }, [])
  await database.close()
  return Number(rows[0]?.['value'])
}
