/** Jobs compress with the component of the thread they run in, which is told when they have ended. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { loadHash } from '../../src/kernel/hash.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { JobScheduler, JobSpec } from '../../src/jobs/jobs.ts'
import { WorkerScheduler } from '../../src/jobs/worker-scheduler.ts'
import * as parts from './worker-composition.ts'

const clock = parts.systemClock()
const SPEC: JobSpec = {
  id: 'job',
  attempt: 1,
  handler: { module: 'varve-test/lz4', export: 'lz4Bytes', version: 1 },
  parameters: null,
  inputs: [],
  outputPrefix: 'job-',
  pinnedSeqnos: [],
  requirements: { memoryBytes: 0, labels: [] },
  priority: 1,
}

async function lz4BytesOf(scheduler: JobScheduler): Promise<number | undefined> {
  try {
    const { statistics } = await scheduler.submit(SPEC).result
    return statistics['bytes']
  } finally {
    await scheduler.close()
  }
}

test('jobs in workers are handed the LZ4 that their composition names, or none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  try {
    const composition = parts.testComposition(folder)
    const lz4 = { module: composition.clock.module, export: 'openTestLz4' }
    assert.equal(await lz4BytesOf(new WorkerScheduler({ composition: { ...composition, lz4 }, clock })), 7)
    assert.equal(await lz4BytesOf(new WorkerScheduler({ composition, clock })), -1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('jobs on this thread are handed the LZ4 that their scheduler has, or none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  try {
    const handlers = new HandlerTable({ 'varve-test/lz4': async () => parts })
    const files = await parts.openTestFiles(folder)
    const options = { files, hash: await loadHash(), clock, handlers }
    assert.equal(await lz4BytesOf(new InlineScheduler({ ...options, lz4: parts.openTestLz4() })), 7)
    assert.equal(await lz4BytesOf(new InlineScheduler(options)), -1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a worker calls what its composition names after every job', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  try {
    const composition = parts.testComposition(folder)
    const path = join(folder, 'ended')
    const afterJob = { module: composition.clock.module, export: 'noteJob', options: { path } }
    const scheduler = new WorkerScheduler({ composition: { ...composition, afterJob }, clock })
    for (const id of ['one', 'two']) await scheduler.submit({ ...SPEC, id }).result
    await scheduler.close()
    assert.equal(readFileSync(path, 'utf8'), 'a job has ended\na job has ended\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
