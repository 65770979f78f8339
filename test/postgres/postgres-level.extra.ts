/** abstract-level's suite over shards whose journal and heads are in PostgreSQL, and whose files are in a bucket. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SUITE_TIMEOUT_MS } from '../abstract-level-run.ts'
import { ASSERTIONS_ELSEWHERE, passSuiteOver } from '../level-over-parts.ts'
import { BucketPlace } from '../s3/bucket-place.ts'
import { openS3Files } from '../s3/s3-place.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const hash = await loadHash()
const random = new SystemRandom()
const place = await PostgresPlace.start()

after(() => place.stop())

test(
  "journal and heads in PostgreSQL, files in a bucket: abstract-level's suite passes",
  { ...place.skip, timeout: SUITE_TIMEOUT_MS },
  async (context) => {
    const database = place.database(place.schema())
    const bucket = await BucketPlace.start()
    context.after(() => bucket.stop())
    const client = bucket.client()
    const files = await openS3Files(client)
    const jobs = new InlineScheduler({
      files,
      hash,
      clock,
      handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }),
    })
    const run = await passSuiteOver({
      files,
      heads: await PostgresHeadStore.open({ database, hash, random }),
      journal: await PostgresJournalSystem.connect({ database, hash, random }),
      jobs,
      clock,
      random,
      hash,
    })
    await jobs.close()
    await files.close()
    await client.close()
    context.diagnostic(`${JSON.stringify(run)}, in a bucket of ${bucket.name}`)
    assert.equal(run.assertions, ASSERTIONS_ELSEWHERE)
    assert.ok(run.flushes > 400 && run.compactions > 60)
  },
)
