/** Tables of jobs that are of another version, go while somebody uses them, or are not for their users any more. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PostgresScheduler } from '../../src/jobs/postgres/postgres-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import type { JobResult } from '../../src/jobs/jobs.ts'
import { JobQueueTable } from '../../src/jobs/postgres/job-queue-table.ts'
import { JOB_TABLES } from '../../src/jobs/postgres/job-statements.ts'
import { resolvePostgresJobSettings } from '../../src/jobs/postgres/settings.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { quoted } from '../../src/postgres/sql-tables.ts'
import { JobBench } from '../../src/testing/job-bench.ts'
import { openJobPlace, random } from './job-place.ts'
import type { PostgresJobPlace } from './job-place.ts'
import { PostgresPlace } from './postgres-place.ts'

const place = await PostgresPlace.start()

after(() => place.stop())

/** Where the job has put what it made. */
async function run(opened: PostgresJobPlace, bench: JobBench): Promise<string> {
  const { outputs } = await opened.scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
  return outputs[0]?.ref.name ?? ''
}

test(
  'tables of an older version are INCOMPATIBLE, and the error says what to run; after that all goes on',
  place.skip,
  async () => {
    const opened = await openJobPlace(place, {})
    const bench = new JobBench(opened)
    const sql = opened.database()
    await sql.script(`UPDATE ${quoted(opened.schema)}.format SET version = 1 WHERE part = 'jobs';
    DROP TABLE ${sql.table('job_place')}`)
    const refusal = await PostgresScheduler.open({ database: opened.database(), shard: 'next', random }).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(refusal instanceof VarveError && refusal.code === 'INCOMPATIBLE', String(refusal))
    const said =
      /tables of jobs in schema .* have version 1, this varve has 2; stop everything .* run once: (BEGIN; .*; COMMIT)$/
    const [, script] = said.exec(refusal.message) ?? []
    assert.ok(script !== undefined, refusal.message)
    await assert.rejects(
      PostgresWorker.open({ database: opened.database(), jobs: undefined as never, random }),
      (error) => isCode(error, 'INCOMPATIBLE'),
    )
    await sql.script(script)
    await opened.submitter('next')
    await opened.worker()
    assert.match(await run(opened, bench), /^job-1-0/)
    await opened.close()
  },
)

test('tables of a newer version are INCOMPATIBLE, and nobody is told to remove them', place.skip, async () => {
  const opened = await openJobPlace(place, {})
  const sql = opened.database()
  const { version } = JOB_TABLES
  await sql.script(`UPDATE ${quoted(opened.schema)}.format SET version = ${version + 1} WHERE part = 'jobs'`)
  await assert.rejects(
    opened.submitter('next'),
    (error: Error) => isCode(error, 'INCOMPATIBLE') && error.message.endsWith('use the newer varve, or another schema'),
  )
  await opened.close()
})

test(
  'where tables go while a scheduler uses them, or are not for it any more, its jobs run here',
  place.skip,
  async () => {
    const opened = await openJobPlace(place, { awayMs: 2_000 })
    const bench = new JobBench(opened)
    await opened.worker()
    assert.match(await run(opened, bench), /^job-1-0/)
    const sql = opened.database()
    await sql.script(`DROP TABLE ${sql.table('job')}, ${sql.table('job_place')}`)
    assert.match(await run(opened, bench), /^job-2-l-/)
    assert.equal(opened.scheduler.localCount, 1)
    await opened.close()
  },
)

// What was leased, and who was at work, was so for a day longer.
test('a server whose clock is set back by a day gives jobs on, or lets them run here', place.skip, async () => {
  const opened = await openJobPlace(place, { settings: { startMs: 300 } })
  const bench = new JobBench(opened)
  const database = opened.database()
  const dead = await JobQueueTable.open(database, resolvePostgresJobSettings())
  const offer = { urgentOnly: false, memoryBytes: 1_000_000_000, labels: ['gpu'] }
  const submit = (): Promise<JobResult> => opened.scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
  const setBack = (): Promise<void> =>
    database.script(`UPDATE ${database.table('job')} SET waiting_since = waiting_since + interval '1 day',
        wanted_until = wanted_until + interval '1 day', lease_until = lease_until + interval '1 day',
        lease_moved = lease_moved + interval '1 day';
      UPDATE ${database.table('job_place')} SET until = until + interval '1 day'`)
  const leased = submit()
  let pulled: unknown
  while (pulled === undefined) pulled = await dead.pull({ lease: 'dead', place: 'dead place' }, offer)
  await setBack()
  // The dead one is not at work any more, for all that is known.
  const lonely = submit()
  assert.match((await lonely).outputs[0]?.ref.name ?? '', /^job-2-l-/)
  await opened.worker()
  assert.match((await leased).outputs[0]?.ref.name ?? '', /^job-1-(?:t2|l)-/)
  await opened.close()
})
