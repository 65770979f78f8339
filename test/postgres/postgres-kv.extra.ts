/**
 * Key-value shards whose journal and heads are in PostgreSQL, whose compactions wait there for a worker, and whose files are
 * in a bucket: any sequence of commands answers as a sorted map does.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresScheduler } from '../../src/jobs/postgres/postgres-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { ModelRun, commandLists } from '../kv-model-run.ts'
import { BucketPlace } from '../s3/bucket-place.ts'
import { openS3Files } from '../s3/s3-place.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const RUNS = 30
const hash = await loadHash()
const random = new SystemRandom()
const place = await PostgresPlace.start()

after(() => place.stop())

test(
  'journal, heads and jobs in PostgreSQL, files in a bucket: any sequence of commands answers as a sorted map does',
  place.skip,
  async (context) => {
    const database = place.database(place.schema())
    const journal = await PostgresJournalSystem.connect({ database, hash, random })
    const heads = await PostgresHeadStore.open({ database, hash, random })
    const bucket = await BucketPlace.start()
    context.after(() => bucket.stop())
    const [client, workersClient] = [bucket.client(), bucket.client()]
    const [files, workersFiles] = [await openS3Files(client), await openS3Files(workersClient)]
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const workersJobs = new InlineScheduler({ files: workersFiles, hash, clock, handlers })
    const worker = await PostgresWorker.open({ database, jobs: workersJobs, random })
    let [runs, localCount, fileCount] = [0, 0, 0]
    await fc.assert(
      fc.asyncProperty(commandLists, fc.integer(), async (each, seed) => {
        const shard = `run${++runs}`
        const localJobs = new InlineScheduler({ files, hash, clock, handlers })
        const jobs = await PostgresScheduler.open({ database, shard, random, local: localJobs })
        const simulation = new Simulation(seed, TINY_SETTINGS, {}, shard)
        // Neither the server nor the bucket dies with its client: an owner that was replaced has to come to rest by itself.
        simulation.composer = {
          compose: (parts) => ({ ...parts, files, heads, journal, jobs, localJobs }),
        }
        await simulation.open()
        try {
          await new ModelRun(simulation, ['leveled'], false).all(each)
        } finally {
          await simulation.stop()
          await jobs.close()
          await localJobs.close()
        }
        localCount += jobs.localCount
        fileCount += (await files.list(`${shard}.` as never)).length
      }),
      { numRuns: RUNS, seed: 20_261_121, includeErrorInReport: true },
    )
    context.diagnostic(
      `${fileCount} files were left by ${runs} runs, in a bucket of ${bucket.name}; ${localCount} compactions ran here`,
    )
    assert.ok(fileCount > 0)
    await worker.close()
    await workersJobs.close()
    await workersFiles.close()
    await files.close()
    await workersClient.close()
    await client.close()
    await place.closeDatabases()
  },
)
