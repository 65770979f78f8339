import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import assert from 'node:assert/strict'
import type { Clock } from '../../src/kernel/clock.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { testHandler } from '../../src/testing/job-handlers.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { PoorJobScheduler } from '../../src/testing/poor-job-scheduler.ts'
import { openTestFiles, systemClock, testComposition } from './worker-composition.ts'
import type { JobResult, JobSpec } from '../../src/jobs/jobs.ts'
import { WorkerScheduler } from '../../src/jobs/worker-scheduler.ts'
import type { WorkerSchedulerOptions } from '../../src/jobs/worker-scheduler.ts'

const clock = systemClock()

async function openWorker(settings: Required<WorkerSchedulerOptions>['settings']) {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const files = await openTestFiles(folder)
  const scheduler = new WorkerScheduler({
    composition: testComposition(folder),
    clock,
    settings: { progressIntervalMs: 5, ...settings },
  })
  const close = async (): Promise<void> => {
    await scheduler.close()
    rmSync(folder, { recursive: true })
  }
  return { scheduler, files, clock, close }
}

testJobScheduler({ test, name: 'worker', isolated: true, open: openWorker })

testJobScheduler({
  test,
  name: 'worker, poorer',
  isolated: true,
  async open({ concurrency, pendingMax }) {
    const { scheduler: inner, files, close } = await openWorker({ concurrency, pendingMax: 100 })
    const scheduler = new PoorJobScheduler({ inner, clock, pendingMax, delayTurns: 3 })
    return {
      scheduler,
      files,
      clock,
      async close() {
        await scheduler.close()
        await close()
      },
    }
  },
})

test('a worker that exits or throws out of nowhere fails its job only, and is replaced', async () => {
  const { scheduler, close } = await openWorker({ concurrency: 2, restartDelayMs: 10 })
  try {
    const other = scheduler.submit(spec({ id: 'other', handler: testHandler('compute'), parameters: 200, priority: 0 }))
    for (const [name, message] of [
      ['exit', /exit code 7/],
      ['explode', /exploded/],
      ['exit', /exit code 7/],
    ] as const) {
      const error = await failure(
        scheduler.submit(spec({ handler: { module: 'varve-test/exits', export: name, version: 1 } })).result,
      )
      assert.equal(error.code, 'JOB_FAILED')
      assert.match(String(error.cause), message)
    }
    await other.result
    await scheduler.submit(spec({})).result
  } finally {
    await close()
  }
})

test(
  'workers of ordinary jobs stand back behind the program and the jobs that it waits for',
  { skip: process.platform === 'linux' ? false : 'threads have priorities of their own on Linux only' },
  async () => {
    const { scheduler, close } = await openWorker({ concurrency: 2, ordinaryNice: 7 })
    try {
      const handler = { module: 'varve-test/exits', export: 'thread', version: 1 }
      const before = getPriority(0)
      const nices: unknown[] = []
      for (const priority of [1, 0, 1, 0]) {
        nices.push((await scheduler.submit(spec({ handler, priority })).result).statistics['nice'])
      }
      // Tests that were begun with `nice` may stand back further already.
      const behind = Math.max(7, before)
      assert.deepEqual(nices, [behind, before, behind, before])
      assert.equal(getPriority(0), before)
    } finally {
      await close()
    }
  },
)

test('a worker that has had nothing to do for a while ends, one that has had does not, and another takes its place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const rests = new Set<() => void>()
  const idleMs = 777
  const watched: Clock = {
    ...clock,
    after(delayMs, task) {
      if (delayMs !== idleMs) return clock.after(delayMs, task)
      rests.add(task)
      return { cancel: () => void rests.delete(task) }
    },
  }
  const composition = testComposition(folder)
  const scheduler = new WorkerScheduler({ composition, clock: watched, settings: { concurrency: 1, idleMs } })
  const run = async (): Promise<number | undefined> => {
    const handler = { module: 'varve-test/exits', export: 'thread', version: 1 }
    return (await scheduler.submit(spec({ handler })).result).statistics['threadId']
  }
  const ended = new Promise((resolve) => process.once('worker', (thread) => thread.once('exit', resolve)))
  const first = await run()
  assert.equal(rests.size, 1)
  assert.equal(await run(), first)
  assert.equal(rests.size, 1, 'the time of a worker that got a job begins anew')
  for (const rest of rests) rest()
  await ended
  assert.notEqual(await run(), first)
  await scheduler.close()
  assert.equal(rests.size, 0, 'nothing is left to wait for')
  rmSync(folder, { recursive: true })
})

test('a cancelled job that never notices is ended with its worker, and only then settles', async () => {
  const { scheduler, files, close } = await openWorker({ concurrency: 1, cancelGraceMs: 50 })
  try {
    const handle = scheduler.submit(
      spec({ handler: { module: 'varve-test/exits', export: 'hang', version: 1 }, outputPrefix: 'hang-' }),
    )
    while ((await files.list('hang-')).length === 0) await clock.turn()
    handle.cancel()
    assert.equal((await failure(handle.result)).code, 'ABORTED')
    await scheduler.submit(spec({})).result
  } finally {
    await close()
  }
})

test('workers that cannot set themselves up fail their jobs with the reason, ever more slowly', async () => {
  const given = testComposition('unused')
  // Not this file: every worker that imports it would begin to run its tests.
  const composition = { ...given, files: { ...given.files, export: 'absent' } }
  const scheduler = new WorkerScheduler({ composition, clock, settings: { concurrency: 1, restartDelayMs: 100 } })
  const start = clock.monotonic()
  for (let attempt = 1; attempt <= 4; attempt++) {
    const error = await failure(scheduler.submit(spec({ attempt })).result)
    assert.equal(error.code, 'JOB_FAILED')
    assert.equal(error.details['causeCode'], 'INCOMPATIBLE')
  }
  assert.ok(clock.monotonic() - start >= 300, 'the third and fourth worker were to wait 100 and 200 ms')
  const waiting = scheduler.submit(spec({}))
  await clock.turn()
  waiting.cancel()
  assert.equal((await failure(waiting.result)).code, 'ABORTED', 'a job that waits for a new worker can be cancelled')
  await scheduler.close()
})

test('a missing worker entry fails the job', async () => {
  const workerUrl = new URL('./absent.js', import.meta.url)
  const scheduler = new WorkerScheduler({ composition: testComposition('unused'), clock, workerUrl })
  const error = await failure(scheduler.submit(spec({})).result)
  assert.match(String(error.cause), /absent\.js/)
  await scheduler.close()
})

test('an idle worker does not keep the process alive, a running job does, and close leaves nothing behind', async () => {
  assert.deepEqual(await runProcess('idle'), { code: 0, output: 'done idle\n' })
  assert.deepEqual(await runProcess('running'), { code: 0, output: 'done running\n' })
  assert.deepEqual(await runProcess('backing-off'), { code: 0, output: 'done backing-off\n' })
  assert.deepEqual(await runProcess('closed'), { code: 0, output: 'done closed\nresources \n' })
})

test('workers start in a process whose module came from the command line', async () => {
  const script = new URL('./process-end.js', import.meta.url).href
  const source = `process.argv[2] = 'idle'; await import(${JSON.stringify(script)})`
  assert.deepEqual(await runNode('--input-type=module', '-e', source), { code: 0, output: 'done idle\n' })
})

/** Runs process-end.ts, which must end by itself. */
function runProcess(scenario: string): Promise<Ended> {
  return runNode(fileURLToPath(new URL('./process-end.js', import.meta.url)), scenario)
}

interface Ended {
  readonly code: number | null
  readonly output: string
}

async function runNode(...nodeArguments: string[]): Promise<Ended> {
  const child = spawn(process.execPath, nodeArguments, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, output }
}

function spec(given: Partial<JobSpec>): JobSpec {
  return {
    id: 'job',
    attempt: 1,
    handler: testHandler('write'),
    inputs: [],
    parameters: [],
    pinnedSeqnos: [],
    outputPrefix: 'job-',
    requirements: { memoryBytes: 0, labels: [] },
    priority: 1,
    ...given,
  }
}

async function failure(result: Promise<JobResult>): Promise<VarveError> {
  const error = await result.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof VarveError, `expected a failure, got ${String(error)}`)
  return error
}
