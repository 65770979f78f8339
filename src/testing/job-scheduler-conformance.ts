/**
 * What every job scheduler promises, as tests.
 *
 * The suite brings its own handlers (job-handlers.ts), which the scheduler under test must be able to find, and tells
 * from outside what they do by the files they write.
 */

import assert from 'node:assert/strict'
import type { JobInput } from '../jobs/jobs.ts'
import { COPY, VERIFY } from '../jobs/standard-handlers.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { JobBench, rejection, thrown } from './job-bench.ts'
import type { JobSchedulerUnderTest } from './job-bench.ts'
import { testJobFailures } from './job-failure-conformance.ts'
import type { DefinePromise } from './job-failure-conformance.ts'

/** A job scheduler, as its conformance suite is given it. */
export interface JobSchedulerSuite extends ConformanceSuite {
  /** Handlers run on threads of their own: one that never pauses, or crashes, harms nobody else. */
  readonly isolated: boolean
  /** @param settings.concurrency jobs at a time; of two, one place is kept for urgent jobs */
  open(settings: { concurrency: 1 | 2; pendingMax: number }): Promise<JobSchedulerUnderTest>
}

/** A test for each promise of a scheduler, over one that `suite.open` makes for it. */
export function testJobScheduler(suite: JobSchedulerSuite): void {
  const promise: DefinePromise = (name, concurrency, body) => {
    testPromise(suite, name, async () => {
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
    const places = [
      ['c', 7],
      ['a', 1],
      ['b', 1],
    ].map(async ([id, priority]) => {
      const outputPrefix = `order-${id}-`
      const { result } = bench.scheduler.submit(
        bench.spec('place', { parameters: 'order-', outputPrefix, priority: Number(priority) }),
      )
      return [id, (await result).statistics['place']]
    })
    await gate.open()
    // Told by what each found there, not by when its answer came: answers may overtake each other.
    assert.deepEqual(
      await Promise.all(places),
      [
        ['c', 2],
        ['a', 0],
        ['b', 1],
      ],
      'lower priority first, then first come first served',
    )
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

  promise('a handler gets a copy of its spec', 1, async ({ scheduler, spec }) => {
    const parameters = ['given']
    await scheduler.submit(spec('meddle', { parameters })).result
    assert.deepEqual(parameters, ['given'], 'a handler changed the parameters of whoever submitted')
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
    await rejection(scheduler.ready(), 'CLOSED')
  })

  promise('a scheduler that never ran a job closes', 1, async ({ scheduler, spec }) => {
    await scheduler.close()
    thrown(() => scheduler.submit(spec('write')), 'CLOSED')
  })

  promise('a handler that pauses lets the event loop turn', 1, async (bench) => {
    let turns = 0
    let ms = 50
    // By the clock: other programs may have the processor for most of that.
    for (let attempt = 0; attempt < 5 && turns < 5; attempt++) {
      ms *= 2
      turns = await bench.turnsUntil(bench.scheduler.submit(bench.spec('compute', { parameters: ms })).result)
    }
    assert.ok(turns >= 5, `the loop turned ${turns} times in ${ms} ms of computing`)
  })

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

  testJobFailures(promise, suite.isolated)
}
