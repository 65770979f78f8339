import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../src/kernel/clock.ts'
import type { JobSpec } from '../../src/jobs/jobs.ts'
import { WorkerPool } from '../../src/jobs/worker-pool.ts'
import { resolveWorkerSettings } from '../../src/jobs/worker-settings.ts'
import { testHandler } from '../../src/testing/job-handlers.ts'
import { systemClock, testComposition } from './worker-composition.ts'

const URGENT_MS = 150
const ORDINARY_MS = 500

function spec(parts: Pick<JobSpec, 'id' | 'handler' | 'parameters' | 'priority'>): JobSpec {
  const requirements = { memoryBytes: 0, labels: [] }
  return { attempt: 1, inputs: [], pinnedSeqnos: [], outputPrefix: `${parts.id}-`, requirements, ...parts }
}

/** How long an ordinary job paused for at most, an urgent one of 150 ms having begun while it ran. */
async function longestPauseMs(cores: number, ordinaryNice: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const settings = resolveWorkerSettings({ ordinaryNice })
  const pool = new WorkerPool({ composition: testComposition(folder), clock: systemClock(), settings, cores })
  const control = { signal: new AbortController().signal, onProgress: () => undefined }
  const compute = (id: string, ms: number): JobSpec =>
    spec({ id, handler: testHandler('compute'), parameters: ms, priority: 0 })
  const steps = { module: 'varve-test/steps', export: 'steps', version: 1 }
  try {
    // Both threads are there before it is measured.
    await pool.run(compute('first', 1), true, control)
    await pool.run(spec({ id: 'second', handler: steps, parameters: 1, priority: 1 }), false, control)
    const ordinary = pool.run(
      spec({ id: 'third', handler: steps, parameters: ORDINARY_MS, priority: 1 }),
      false,
      control,
    )
    await pool.run(compute('fourth', URGENT_MS), true, control)
    return Number((await ordinary).statistics['longestMs'])
  } finally {
    await pool.close()
    rmSync(folder, { recursive: true })
  }
}

test('an ordinary job stands still while an urgent one runs, where threads outnumber cores', async () => {
  const standing = await longestPauseMs(2, 5)
  assert.ok(standing > URGENT_MS * 0.7, `it paused for ${standing} ms`)
})

test('it goes on where there are cores enough, and where workers are not to stand back', async () => {
  for (const [cores, nice] of [
    [64, 5],
    [2, 0],
  ] as const) {
    // A busy machine may hold up any thread: not three times for as long.
    let least = Infinity
    for (let attempt = 0; attempt < 3 && least > URGENT_MS * 0.7; attempt++)
      least = Math.min(least, await longestPauseMs(cores, nice))
    assert.ok(least <= URGENT_MS * 0.7, `with ${cores} cores and nice ${nice} it paused for ${least} ms`)
  }
})

/** Runs handlers of `varve-test/exits` one after the other, and says for how long new workers had to wait each time. */
async function pausesMs(names: readonly string[]): Promise<readonly (number | undefined)[]> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const settings = resolveWorkerSettings({ restartDelayMs: 1_001, restartDelayMsMax: 2_500 })
  const clock = systemClock()
  let pauseMs: number | undefined
  const hasty: Clock = {
    ...clock,
    after(delayMs, task) {
      if (delayMs < 1_001 || delayMs > 2_500) return clock.after(delayMs, task)
      pauseMs = delayMs
      return clock.after(0, task)
    },
  }
  const pool = new WorkerPool({ composition: testComposition(folder), clock: hasty, settings, cores: 2 })
  const control = { signal: new AbortController().signal, onProgress: () => undefined }
  const pauses: (number | undefined)[] = []
  let gone: Promise<unknown> = Promise.resolve()
  const onWorker = (thread: Worker): void => void (gone = new Promise((resolve) => thread.once('exit', resolve)))
  process.on('worker', onWorker)
  // An idle worker does not keep the process alive until it has died.
  const hold = setInterval(() => undefined, 1_000)
  try {
    for (const name of names) {
      pauseMs = undefined
      const handler = { module: 'varve-test/exits', export: name, version: 1 }
      await pool
        .run(spec({ id: 'job', handler, parameters: null, priority: 0 }), true, control)
        .catch((error: unknown) => assert.match((error as Error).message, /exit code 7/))
      pauses.push(pauseMs)
      if (name !== 'thread') await gone
    }
  } finally {
    clearInterval(hold)
    process.removeListener('worker', onWorker)
    await pool.close()
    rmSync(folder, { recursive: true })
  }
  return pauses
}

test('workers that die one after the other are replaced ever more slowly, up to a limit, until one has answered', async () => {
  const died = 'exit'
  assert.deepEqual(await pausesMs([died, died, died, died, died, died]), [
    undefined,
    undefined,
    1_001,
    2_002,
    2_500,
    2_500,
  ])
  assert.deepEqual(await pausesMs([died, died, 'thread', died, died, 'thread']), [
    undefined,
    undefined,
    1_001,
    undefined,
    undefined,
    1_001,
  ])
})

test('a worker that dies while it has nothing to do gets no job any more', async () => {
  assert.deepEqual(await pausesMs(['exitLater', 'exitLater', 'thread']), [undefined, undefined, undefined])
})

test('a job that was cancelled before it began starts no worker', async () => {
  const settings = resolveWorkerSettings({})
  const pool = new WorkerPool({ composition: testComposition('unused'), clock: systemClock(), settings, cores: 2 })
  const started: Worker[] = []
  const onWorker = (thread: Worker): void => void started.push(thread)
  process.on('worker', onWorker)
  const control = { signal: AbortSignal.abort(), onProgress: () => undefined }
  const job = spec({ id: 'job', handler: testHandler('write'), parameters: [], priority: 0 })
  await assert.rejects(pool.run(job, true, control), { code: 'ABORTED' })
  await pool.close()
  process.removeListener('worker', onWorker)
  assert.deepEqual(started, [])
})

test('a thread that Node refuses to begin fails its job, and nothing is left of it', async () => {
  const settings = resolveWorkerSettings({})
  const workerUrl = new URL('http://127.0.0.1/worker.js')
  const composition = testComposition('unused')
  const pool = new WorkerPool({ composition, clock: systemClock(), settings, cores: 2, workerUrl })
  const control = { signal: new AbortController().signal, onProgress: () => undefined }
  const job = spec({ id: 'job', handler: testHandler('write'), parameters: [], priority: 0 })
  for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(pool.run(job, true, control), /URL|scheme|file/)
  await pool.close()
})
