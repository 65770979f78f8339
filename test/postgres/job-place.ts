/** A queue of jobs in a schema of its own for one test: a scheduler, others of other shards, workers, over files of one folder. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresScheduler } from '../../src/jobs/postgres/postgres-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import type { PostgresJobSettings } from '../../src/jobs/postgres/settings.ts'
import type { JobWorkerSettings } from '../../src/jobs/remote/worker-settings.ts'
import type { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { SystemRandom } from '../../src/system-random.ts'
import type { JobSchedulerUnderTest } from '../../src/testing/job-bench.ts'
import { handlers, hash } from '../jobs/remote-place.ts'
import { openTestFiles } from '../jobs/worker-composition.ts'
import { clock } from './postgres-place.ts'
import type { PostgresPlace } from './postgres-place.ts'

export const random = new SystemRandom()

export interface PostgresJobPlace extends JobSchedulerUnderTest {
  readonly scheduler: PostgresScheduler
  readonly schema: string
  readonly folder: string
  database(): PostgresDatabase
  /** Another shard's scheduler. */
  submitter(shard: string): Promise<PostgresScheduler>
  worker(places?: Partial<JobWorkerSettings>): Promise<PostgresWorker>
}

export interface PostgresJobPlaceOptions {
  readonly concurrency?: number
  readonly pendingMax?: number
  readonly settings?: Partial<PostgresJobSettings>
  readonly awayMs?: number
}

export async function openJobPlace(place: PostgresPlace, options: PostgresJobPlaceOptions): Promise<PostgresJobPlace> {
  const { concurrency = 1, pendingMax = 500, settings = {}, awayMs = 60_000 } = options
  const folder = mkdtempSync(join(tmpdir(), 'varve-postgres-jobs-'))
  const files = await openTestFiles(folder)
  const schema = place.schema()
  const database = (): PostgresDatabase => place.database(schema, { awayMs })
  const queue = { concurrency, urgentPlaces: 0, pendingMax: 100, labels: ['gpu'] }
  const inner = new InlineScheduler({ files, hash, clock, handlers, settings: queue })
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one)
    return one
  }
  const submitter = async (shard: string): Promise<PostgresScheduler> =>
    keep(
      await PostgresScheduler.open({
        database: database(),
        shard,
        random,
        pendingMax,
        local: inner,
        settings,
        labels: ['gpu'],
      }),
    )
  return {
    scheduler: await submitter('test'),
    files,
    clock,
    schema,
    folder,
    database,
    submitter,
    worker: async (places = {}) => {
      const given = {
        database: database(),
        jobs: inner,
        random,
        settings,
        places: { places: concurrency, ...places },
      }
      return keep(await PostgresWorker.open(given))
    },
    close: async () => {
      for (const one of opened) await one.close()
      await inner.close()
      await place.closeDatabases()
      rmSync(folder, { recursive: true })
    },
  }
}
