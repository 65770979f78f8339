/**
 * Key-value shards whose journal and heads are on NATS JetStream, and whose files are in a bucket: the model's commands, and
 * abstract-level's suite.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import type { S3Client } from '../../src/fs/s3/s3-client.ts'
import type { S3FileStore } from '../../src/fs/s3/s3-file-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { SUITE_TIMEOUT_MS } from '../abstract-level-run.ts'
import { ModelRun, commandLists } from '../kv-model-run.ts'
import type { Command } from '../kv-model-run.ts'
import { ASSERTIONS_ELSEWHERE, passSuiteOver } from '../level-over-parts.ts'
import { BucketPlace } from '../s3/bucket-place.ts'
import { openS3Files } from '../s3/s3-place.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const RUNS = 30
const SEED = 20_261_121
const hash = await loadHash()
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })

describe('a journal and heads on NATS, files in a bucket', skipWithoutNats, () => {
  let place: NatsPlace
  let bucket: BucketPlace
  let client: S3Client
  let files: S3FileStore
  before(async () => {
    place = await NatsPlace.start(1)
    bucket = await BucketPlace.start()
    client = bucket.client()
    files = await openS3Files(client)
  })
  after(async () => {
    await files.close()
    await client.close()
    await bucket.stop()
    await place.stop()
  })

  test('any sequence of commands answers as a sorted map does', async (context) => {
    const options = { streams: await place.streams(), hash, clock, random }
    const parts = { files, heads: new NatsHeadStore(options), journal: new NatsJournalSystem(options) }
    let [runs, flushed] = [0, 0]
    await fc.assert(
      fc.asyncProperty(commandLists, fc.integer(), async (each, seed) => {
        const simulation = new Simulation(seed, TINY_SETTINGS, {}, `run${++runs}`)
        const jobs = new InlineScheduler({ files, hash, clock, handlers })
        simulation.composer = { compose: (rest) => ({ ...rest, ...parts, jobs }) }
        await simulation.open()
        try {
          await new ModelRun(simulation, ['leveled'], false).all(each.map(asWritten))
          flushed += simulation.db.statistics().files
        } finally {
          await simulation.stop()
          await jobs.close()
        }
      }),
      { numRuns: RUNS, seed: SEED, includeErrorInReport: true },
    )
    context.diagnostic(`${flushed} files were there after ${runs} runs, in a bucket of ${bucket.name}`)
    assert.ok(flushed > 0)
  })

  test("abstract-level's suite passes", { timeout: SUITE_TIMEOUT_MS }, async (context) => {
    const options = { streams: await place.streams(), hash, clock, random }
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const run = await passSuiteOver({
      files,
      heads: new NatsHeadStore(options),
      journal: new NatsJournalSystem(options),
      jobs,
      clock,
      random,
      hash,
    })
    await jobs.close()
    context.diagnostic(JSON.stringify(run))
    assert.equal(run.assertions, ASSERTIONS_ELSEWHERE)
    assert.ok(run.flushes > 400 && run.compactions > 60)
  })
})

/** Debian's server does not sync before it answers, so that this journal offers one rung. */
function asWritten(command: Command): Command {
  return 'synced' in command ? { ...command, synced: false } : command
}
