/**
 * What every job scheduler promises, as tests.
 *
 * The suite brings its own handlers (job-handlers.ts), which the scheduler under test must be able to find, and tells
 * from outside what they do by the files they write.
 */

import assert from 'node:assert/strict'
import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { JobInput } from '../jobs/jobs.ts'
import { COPY, VERIFY } from '../jobs/standard-handlers.ts'
import { JobBench, rejection, thrown } from './job-bench.ts'
import type { JobSchedulerUnderTest } from './job-bench.ts'
import { TEST_HANDLERS } from './job-handlers.ts'

export interface JobSchedulerSuite {
  readonly test: (name: string, options: { skip?: string }, body: () => Promise<void>) => unknown
  /** Stands before every test's name. */
  readonly name: string
  /** Handlers run on threads of their own: one that never pauses, or crashes, harms nobody else. */
  readonly isolated: boolean
  /** @param settings.concurrency jobs at a time; of two, one place is kept for urgent jobs */
  open(settings: { concurrency: 1 | 2; pendingMax: number }): Promise<JobSchedulerUnderTest>
  readonly skip?: readonly { readonly test: string; readonly reason: string }[]
}

export function testJobScheduler(suite: JobSchedulerSuite): void {
  function promise(name: string, concurrency: 1 | 2, body: (bench: JobBench) => Promise<void>): void {
    const skipped = suite.skip?.find((candidate) => candidate.test === name)
    suite.test(`${suite.name}: ${name}`, skipped === undefined ? {} : { skip: skipped.reason }, async () => {
      const bench = new JobBench(await suite.open({ concurrency, pendingMax: 4 }))
      try {
        await body(bench)
      } finally {
        await bench.close()
      }
    })
  }

  promise('a job writes its outputs and answers with their references', 1, async ({ scheduler, files, spec }) => {
    const handle = scheduler.submit(spec('write', { parameters: ['one', 'three'], outputPrefix: 'e1-j1-a1-' }))
    const { outputs, statistics } = await handle.result
    assert.deepEqual(
      outputs.map(({ ref }) => [ref.name, ref.bytes]),
      [
        ['e1-j1-a1-0.txt', 3],
        ['e1-j1-a1-1.txt', 5],
      ],
      'outputs are named by prefix, count and extension',
    )
    assert.deepEqual(statistics, { files: 2 }, 'statistics arrive')
    assert.equal(handle.progress(), 1, 'a job that is done has made all its progress')
    for (const { ref, meta } of outputs) {
      const reader = await files.open(ref)
      assert.equal((await reader.read(0, ref.bytes))[0], meta[0], 'an output can be read by its reference')
      assert.equal(meta.buffer.byteLength, meta.byteLength, 'a meta comes without other memory')
      await reader.close()
    }
  })

  promise('jobs run by priority, and in order of submission within one', 1, async (bench) => {
    const gate = await bench.occupy(5)
    const ended: string[] = []
    const results = [
      ['c', 7],
      ['a', 1],
      ['b', 1],
    ].map(([id, priority]) => {
      const { result } = bench.scheduler.submit(
        bench.spec('write', { parameters: [], id: String(id), priority: Number(priority) }),
      )
      return result.then(() => ended.push(String(id)))
    })
    await gate.open()
    await Promise.all(results)
    assert.deepEqual(ended, ['a', 'b', 'c'], 'lower priority first, then first come first served')
  })

  promise('an urgent job finds a place while ordinary ones are running', 2, async (bench) => {
    const gate = await bench.occupy(1)
    const second = bench.scheduler.submit(bench.spec('write', { parameters: [], priority: 1 }))
    let secondEnded = false
    second.result.then(
      () => (secondEnded = true),
      () => undefined,
    )
    await bench.scheduler.submit(bench.spec('write', { parameters: [], priority: 0 })).result
    assert.ok(!secondEnded, 'an ordinary job took the place that is kept for urgent ones')
    await gate.open()
    await second.result
  })

  promise('a job cancelled while it waits never runs', 1, async (bench) => {
    const gate = await bench.occupy(5)
    const handle = bench.scheduler.submit(bench.spec('write', { parameters: ['never'], outputPrefix: 'cancelled-' }))
    handle.cancel(new Error('no longer needed'))
    handle.cancel()
    const error = await rejection(handle.result, 'ABORTED')
    assert.match(String(error.cause), /no longer needed/, 'the reason of a cancellation is its cause')
    await gate.open()
    assert.deepEqual(await bench.files.list('cancelled-'), [], 'a cancelled job wrote something')
  })

  promise('a running job that is cancelled settles once its handler has ended', 1, async (bench) => {
    const handle = bench.scheduler.submit(bench.spec('endless', { outputPrefix: 'endless-' }))
    await bench.until(async () => (await bench.files.list('endless-')).length > 0)
    handle.cancel()
    await rejection(handle.result, 'ABORTED')
    assert.equal(
      (await bench.files.list('endless-')).length,
      2,
      'the result settled while the handler was still writing',
    )
    await bench.scheduler.submit(bench.spec('write', { parameters: [] })).result
  })

  promise('a job that has settled cannot be cancelled', 1, async ({ scheduler, spec }) => {
    const handle = scheduler.submit(spec('write', { parameters: [] }))
    await handle.result
    handle.cancel()
    await handle.result
  })

  promise('progress never goes back and stays within 0 and 1', 1, async (bench) => {
    const fractions = [0.25, 0.1, Number.NaN, 0.5, 7]
    const handle = bench.scheduler.submit(bench.spec('steps', { parameters: { fractions, gate: 'gate' } }))
    const seen = [handle.progress()]
    async function reaches(fraction: number): Promise<void> {
      await bench.until(async () => {
        seen.push(handle.progress())
        return seen.at(-1) === fraction
      })
    }
    await reaches(0.25)
    for (const step of [0, 1, 2]) await bench.writeFile(`gate${step}`)
    await reaches(0.5)
    await bench.writeFile('gate3')
    await reaches(1)
    await bench.writeFile('gate4')
    await handle.result
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
      'progress went back',
    )
  })

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

  promise('a handler gets a copy of its spec', 1, async ({ scheduler, spec }) => {
    const parameters = ['given']
    await scheduler.submit(spec('meddle', { parameters })).result
    assert.deepEqual(parameters, ['given'], 'a handler changed the parameters of whoever submitted')
  })

  promise('parameters and answers that are not data fail the job', 1, async ({ scheduler, spec }) => {
    await rejection(scheduler.submit(spec('write', { parameters: [() => 1] })).result, 'JOB_FAILED')
    await rejection(scheduler.submit(spec('answerCode')).result, 'JOB_FAILED')
    await scheduler.submit(spec('write', { parameters: [] })).result
  })

  promise(
    'with pendingMax jobs pending, submit throws BUSY, and ready() tells when there is room',
    1,
    async (bench) => {
      const { scheduler } = bench
      await scheduler.ready()
      const gate = await bench.occupy(0)
      const waiting = [1, 2, 3].map(() => scheduler.submit(bench.spec('write', { parameters: [] })))
      assert.equal(scheduler.pending, 4, 'pending counts running and waiting jobs')
      assert.equal(scheduler.pendingMax, 4, 'pendingMax is the limit')
      const error = thrown(() => scheduler.submit(bench.spec('write', { parameters: [] })), 'BUSY')
      assert.deepEqual(error.details, { pending: 4, limit: 4 }, 'BUSY says how many are pending')
      let isReady = false
      const ready = scheduler.ready().then(() => (isReady = true))
      await bench.clock.turn()
      assert.ok(!isReady, 'ready() resolved at the limit')
      waiting[2]?.cancel()
      await ready
      assert.equal(scheduler.pending, 3, 'a cancelled job is no longer pending')
      scheduler.submit(bench.spec('write', { parameters: [] }))
      await gate.open()
      await bench.until(async () => scheduler.pending === 0)
    },
  )

  promise('a job that needs what the scheduler does not have is UNSUPPORTED', 1, async ({ scheduler, spec }) => {
    const requirements = { memoryBytes: 0, labels: ['quantum'] }
    const error = thrown(() => scheduler.submit(spec('write', { requirements })), 'UNSUPPORTED')
    assert.equal(error.details['capability'], 'quantum', 'UNSUPPORTED says what is missing')
  })

  promise(
    'memory in shared buffers is the same memory for the handler, or UNSUPPORTED',
    1,
    async ({ scheduler, spec }) => {
      const image = new Uint8Array(new SharedArrayBuffer(8)).fill(3)
      const inputs: JobInput[] = [{ type: 'memory', image }]
      if (!scheduler.supports.sharedMemory) {
        thrown(() => scheduler.submit(spec('sum', { inputs })), 'UNSUPPORTED')
        return
      }
      const { statistics } = await scheduler.submit(spec('sum', { inputs })).result
      assert.equal(statistics['total'], 24, 'the handler read something else than was handed over')
      assert.equal(image[0], 42, 'shared memory was copied')
    },
  )

  promise('close() ends what waits and what runs with CLOSED, and nothing runs after it', 1, async (bench) => {
    const { scheduler } = bench
    const running = scheduler.submit(bench.spec('endless', { outputPrefix: 'endless-' }))
    await bench.until(async () => (await bench.files.list('endless-')).length > 0)
    const waiting = scheduler.submit(bench.spec('write', { parameters: ['never'], outputPrefix: 'never-' }))
    const closed = scheduler.close()
    thrown(() => scheduler.submit(bench.spec('write', { parameters: [] })), 'CLOSED')
    await Promise.all([rejection(running.result, 'CLOSED'), rejection(waiting.result, 'CLOSED')])
    await closed
    assert.equal(scheduler.pending, 0, 'close() resolved before everything had settled')
    assert.equal((await bench.files.list('endless-')).length, 2, 'close() resolved while a handler was still writing')
    assert.deepEqual(await bench.files.list('never-'), [], 'a job ran although the scheduler was closed')
    await scheduler.close()
    await scheduler.ready()
  })

  promise('a scheduler that never ran a job closes', 1, async ({ scheduler, spec }) => {
    await scheduler.close()
    thrown(() => scheduler.submit(spec('write')), 'CLOSED')
  })

  promise('a handler that pauses lets the event loop turn', 1, async (bench) => {
    const turns = await bench.turnsUntil(bench.scheduler.submit(bench.spec('compute', { parameters: 100 })).result)
    assert.ok(turns >= 5, `the loop turned ${turns} times in 100 ms of computing`)
  })

  if (suite.isolated) {
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

  promise('verify and copy are known everywhere', 1, async (bench) => {
    const { outputs } = await bench.scheduler.submit(bench.spec('write', { parameters: ['content'] })).result
    const inputs = outputs.map(({ ref, format, meta }): JobInput => ({
      type: 'file',
      ref,
      format,
      meta,
      view: new Uint8Array(0),
    }))
    const labels = outputs.map(({ group, seqnoFirst, seqnoLast }) => ({ group, seqnoFirst, seqnoLast }))
    const copied = await bench.scheduler.submit(
      bench.spec('', { handler: COPY, inputs, parameters: { outputs: labels } }),
    ).result
    assert.equal(copied.outputs[0]?.ref.checksum, outputs[0]?.ref.checksum, 'a copy has the same content')
    const verified = await bench.scheduler.submit(bench.spec('', { handler: VERIFY, inputs })).result
    assert.deepEqual(verified.statistics, { files: 1, bytes: 7 }, 'verify read the whole file')
  })
}
