/** A worker in a process of its own, to be killed: `node worker-process.js URL SCHEMA FOLDER LEASE-MS`. */

import { argv, stdout } from 'node:process'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresWorker } from '../../src/jobs/postgres/postgres-worker.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { openTestFiles } from '../jobs/worker-composition.ts'

const [url = '', schema = '', folder = '', leaseMs = ''] = argv.slice(2)
const clock = new SystemClock()
const files = await openTestFiles(folder)
const handlers = new HandlerTable({ [testHandlers.TEST_HANDLERS]: testHandlers })
const jobs = new InlineScheduler({ files, hash: await loadHash(), clock, handlers })
const database = new PostgresDatabase({ address: { connectionString: url }, clock, settings: { schema } })
await PostgresWorker.open({
  database,
  jobs,
  random: new SystemRandom(),
  places: { places: 1 },
  settings: { leaseMs: Number(leaseMs) },
})
stdout.write('working\n')
