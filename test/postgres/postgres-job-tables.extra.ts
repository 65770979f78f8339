/** Tables of jobs that are of another version, go while somebody uses them, or are not for their users any more. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PostgresScheduler } from '../../src/jobs/postgres/postgres-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import { JOB_TABLES } from '../../src/jobs/postgres/job-statements.ts'
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
