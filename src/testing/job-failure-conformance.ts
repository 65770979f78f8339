/** What every job scheduler promises about handlers that fail, misbehave, or are not there: part of its conformance suite. */

import assert from 'node:assert/strict'
import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { rejection } from './job-bench.ts'
import type { JobBench } from './job-bench.ts'
import { TEST_HANDLERS } from './job-handlers.ts'

/** Defines the test of one promise, over a scheduler that runs `concurrency` jobs at a time. */
export type DefinePromise = (name: string, concurrency: 1 | 2, body: (bench: JobBench) => Promise<void>) => void

/** @param isolated handlers run on threads of their own: one that never pauses, or crashes, harms nobody else */
export function testJobFailures(promise: DefinePromise, isolated: boolean): void {
  promise(
    'a handler that fails rejects the result with JOB_FAILED, its error as the cause',
    1,
    async ({ scheduler, spec }) => {
      const error = await rejection(scheduler.submit(spec('fail', { id: 'j7', attempt: 3 })).result, 'JOB_FAILED')
      assert.deepEqual(
        [error.details['job'], error.details['attempt'], error.details['causeCode']],
        ['j7', 3, 'TABLE_CORRUPT'],
        'the error says which job and why',
      )
      const cause = error.cause
      assert.ok(cause instanceof VarveError, 'the cause is the handler’s own error')
      assert.equal(cause.code, 'TABLE_CORRUPT', 'the cause keeps its code')
      assert.deepEqual(cause.details, { file: 'a.sst', offset: 7 }, 'the cause keeps its details')
      const other = await rejection(scheduler.submit(spec('failAtOnce')).result, 'JOB_FAILED')
      assert.equal((other.cause as Error).name, 'RangeError', 'an error of another class keeps its name')
      assert.equal(other.details['causeCode'], undefined, 'an error of another class has no code')
      await scheduler.submit(spec('write', { parameters: [] })).result
    },
  )

  promise('a failure to which nobody listens is no unhandled rejection', 1, async (bench) => {
    bench.scheduler.submit(bench.spec('fail'))
    await bench.until(async () => bench.scheduler.pending === 0)
    for (let turn = 0; turn < 10; turn++) await bench.clock.turn() // Node would end the process in one of these.
  })

  promise(
    'an unknown handler, or another version of one, fails the job as INCOMPATIBLE',
    1,
    async ({ scheduler, spec }) => {
      const references = [
        { module: TEST_HANDLERS, export: 'write', version: 2 },
        { module: TEST_HANDLERS, export: 'absent', version: 1 },
        { module: TEST_HANDLERS, export: 'toString', version: 1 },
        { module: 'varve-absent/jobs', export: 'write', version: 1 },
      ]
      for (const handler of references) {
        const error = await rejection(scheduler.submit({ ...spec('write'), handler }).result, 'JOB_FAILED')
        assert.equal(error.details['causeCode'], 'INCOMPATIBLE', `${handler.module}#${handler.export} was not refused`)
      }
    },
  )

  promise(
    'what a handler leaves open or unfinished is cleaned up, what it finished stays',
    1,
    async ({ scheduler, files, spec }) => {
      await rejection(scheduler.submit(spec('leave', { outputPrefix: 'left-' })).result, 'JOB_FAILED')
      assert.deepEqual(
        (await files.list('left-')).map(({ name }) => name),
        ['left-0.txt'],
        'files of a failed job',
      )
    },
  )

  promise(
    'a job creates under its prefix only, removes nothing, and answers only with files it created',
    1,
    async (bench) => {
      await bench.writeFile('other.txt')
      const cases: [string, string, ErrorCode][] = [
        ['trespass', 'other-2.txt', 'PERMISSION_DENIED'],
        ['erase', 'other.txt', 'PERMISSION_DENIED'],
        ['claim', 'other.txt', 'JOB_REJECTED'],
      ]
      for (const [handler, parameters, code] of cases) {
        const error = await rejection(bench.scheduler.submit(bench.spec(handler, { parameters })).result, 'JOB_FAILED')
        assert.equal(error.details['causeCode'], code, `${handler} was not refused`)
      }
      assert.deepEqual(
        (await bench.files.list()).map(({ name }) => name),
        ['other.txt'],
        'a job changed files of others',
      )
    },
  )

  promise('parameters and answers that are not data fail the job', 1, async ({ scheduler, spec }) => {
    await rejection(scheduler.submit(spec('write', { parameters: [() => 1] })).result, 'JOB_FAILED')
    await rejection(scheduler.submit(spec('answerCode')).result, 'JOB_FAILED')
    await scheduler.submit(spec('write', { parameters: [] })).result
  })

  if (isolated) {
    promise('a handler that never pauses does not hold the event loop', 1, async (bench) => {
      await bench.scheduler.submit(bench.spec('write', { parameters: [] })).result // Starting a thread takes its time.
      const turns = await bench.turnsUntil(bench.scheduler.submit(bench.spec('spin', { parameters: 200 })).result)
      assert.ok(turns >= 20, `the loop turned ${turns} times in 200 ms of computing`)
    })

    promise('a stray rejection in a handler fails its job, and the next one runs', 1, async ({ scheduler, spec }) => {
      const error = await rejection(scheduler.submit(spec('stray')).result, 'JOB_FAILED')
      assert.match(String(error.cause), /nobody listens/, 'the cause is what ended the thread')
      await scheduler.submit(spec('write', { parameters: [] })).result
    })
  }
}
