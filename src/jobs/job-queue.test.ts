import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isCode } from '../kernel/errors.ts'
import { JobQueue } from './job-queue.ts'
import type { JobResult, JobSpec } from './jobs.ts'
import { resolveQueueSettings } from './queue-settings.ts'
import type { QueueSettings } from './queue-settings.ts'
import type { QueuedJob } from './queued-job.ts'

const RESULT: JobResult = { outputs: [], statistics: {} }

/** A queue whose jobs run until told to end. */
class Bench {
  readonly queue: JobQueue
  readonly running: { readonly job: QueuedJob; readonly end: () => void }[] = []

  constructor(settings: Partial<QueueSettings>) {
    this.queue = new JobQueue(resolveQueueSettings(settings), (job) => {
      return new Promise((resolve) => this.running.push({ job, end: () => resolve(RESULT) }))
    })
  }

  async ids(): Promise<string[]> {
    await settle()
    return this.running.map(({ job }) => job.spec.id)
  }

  async end(at: number): Promise<void> {
    this.running.splice(at, 1)[0]?.end()
    await settle()
  }
}

/** Lets everything that waits for no one else happen. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function spec(id: string, priority: number, memoryBytes = 0): JobSpec {
  return {
    id,
    attempt: 1,
    handler: { module: 'm', export: 'e', version: 1 },
    inputs: [],
    parameters: null,
    pinnedSeqnos: [],
    outputPrefix: 'p-',
    requirements: { memoryBytes, labels: [] },
    priority,
  }
}

test('ordinary jobs leave the places for urgent ones free, urgent ones take all', async () => {
  const bench = new Bench({ concurrency: 3, urgentPlaces: 2 })
  for (const id of ['o1', 'o2']) bench.queue.submit(spec(id, 1))
  assert.deepEqual(await bench.ids(), ['o1'])
  for (const id of ['u1', 'u2', 'u3']) bench.queue.submit(spec(id, 0))
  assert.deepEqual(await bench.ids(), ['o1', 'u1', 'u2'])
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['u1', 'u2', 'u3'])
})

test('ordinary jobs take the urgent places while no urgent job comes, and give them back', async () => {
  const bench = new Bench({ concurrency: 2, urgentPlaces: 1 })
  for (const id of ['o1', 'o2', 'o3', 'o4', 'o5', 'o6']) bench.queue.submit(spec(id, 1))
  assert.deepEqual(await bench.ids(), ['o1'])
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['o2', 'o3'], 'none came while o1 ran')
  bench.queue.submit(spec('u1', 0))
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['o3', 'u1'], 'the next place is for it')
  await bench.end(1)
  assert.deepEqual(await bench.ids(), ['o3'], 'and stays free for another')
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['o4'], 'one came while o3 ran')
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['o5', 'o6'])
})

test('where all places are for urgent jobs, one ordinary job runs all the same', async () => {
  const bench = new Bench({ concurrency: 1, urgentPlaces: 1 })
  bench.queue.submit(spec('o1', 1))
  assert.deepEqual(await bench.ids(), ['o1'])
})

test('jobs wait for memory, except an urgent one and one that would run alone', async () => {
  const bench = new Bench({ concurrency: 4, urgentPlaces: 0, memoryBytesMax: 100 })
  bench.queue.submit(spec('huge', 1, 1000))
  bench.queue.submit(spec('small', 2, 1))
  bench.queue.submit(spec('urgent', 0, 50))
  assert.deepEqual(await bench.ids(), ['urgent'], 'an ordinary job started beside another without memory for it')
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['huge'], 'a job that runs alone was held back, or one passed it')
  bench.queue.submit(spec('urgent 2', 0, 50))
  assert.deepEqual(await bench.ids(), ['huge', 'urgent 2'])
  await bench.end(0)
  assert.deepEqual(await bench.ids(), ['urgent 2', 'small'])
})

test('a runner that rejects, or succeeds, after it was cancelled still answers ABORTED', async () => {
  for (const failure of [undefined, new Error('the handler’s own')]) {
    const queue = new JobQueue(resolveQueueSettings(), async (job) => {
      await new Promise((resolve) => job.signal.addEventListener('abort', resolve))
      if (failure !== undefined) throw failure
      return RESULT
    })
    const handle = queue.submit(spec('a', 1))
    await settle()
    handle.cancel()
    await assert.rejects(handle.result, (error) => isCode(error, 'ABORTED'))
  }
})

test('in any history every job settles once, places are kept, and the order is by priority', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('submit' as const),
      priority: fc.integer({ min: -1, max: 3 }),
      memory: fc.integer({ min: 0, max: 60 }),
    }),
    fc.record({ do: fc.constant('end' as const), at: fc.nat(5) }),
    fc.record({ do: fc.constant('cancel' as const), at: fc.nat(20) }),
  )
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.integer({ min: 1, max: 4 }),
    async (steps, concurrency) => {
      const settings = resolveQueueSettings({ concurrency, pendingMax: 6, memoryBytesMax: 100 })
      const active = new Map<QueuedJob, () => void>()
      const started: string[] = []
      const queue = new JobQueue(settings, (job) => {
        started.push(job.spec.id)
        return new Promise((resolve) => {
          active.set(job, () => resolve(RESULT))
          job.signal.addEventListener('abort', () => (active.delete(job), resolve(RESULT)))
        })
      })
      const outcomes: Promise<string>[] = []
      const handles: { cancel(): void }[] = []
      const waiting = new Map<string, number>()
      let keptBefore = true
      let endedSinceUrgent = false
      for (const [count, next] of steps.entries()) {
        if (next.do === 'submit') {
          const full = queue.pending >= 6
          try {
            const handle = queue.submit(spec(String(count), next.priority, next.memory))
            assert.ok(!full, 'took a job beyond pendingMax')
            handles.push({ cancel: () => (handle.cancel(), waiting.delete(handle.id)) })
            outcomes.push(
              handle.result.then(
                () => 'done',
                (error: { code: string }) => error.code,
              ),
            )
            waiting.set(handle.id, next.priority)
            if (next.priority <= 0) endedSinceUrgent = false
          } catch (error) {
            assert.ok(full && isCode(error, 'BUSY'))
          }
        } else if (next.do === 'cancel') {
          handles[next.at]?.cancel()
          endedSinceUrgent = true
        } else {
          const [job, end] = [...active][next.at] ?? []
          if (job !== undefined) active.delete(job)
          end?.()
          endedSinceUrgent = true
        }
        const before = started.length
        await settle()
        for (const id of started.slice(before)) {
          const priority = waiting.get(id)
          assert.ok(priority !== undefined, 'a cancelled job was started')
          waiting.delete(id)
          const better = [...waiting].filter(
            ([other, its]) => its < priority || (its === priority && Number(other) < Number(id)),
          )
          assert.deepEqual(better, [], 'a job passed one before it')
        }
        const jobs = [...active.keys()]
        const ordinary = jobs.filter(({ spec: { priority } }) => priority > 0)
        assert.ok(jobs.length <= concurrency, 'more jobs than places')
        const kept = ordinary.length <= Math.max(1, concurrency - 1)
        assert.ok(kept || endedSinceUrgent || !keptBefore, 'ordinary jobs took the urgent place')
        keptBefore = kept
        assert.ok(jobs.length > 0 || waiting.size === 0, 'jobs wait and nothing runs')
      }
      await queue.close()
      assert.equal(queue.pending, 0)
      for (const outcome of await Promise.all(outcomes))
        assert.ok(['done', 'ABORTED', 'CLOSED'].includes(outcome), outcome)
    },
  )
  await fc.assert(property, { numRuns: 200 })
})

test('settings out of range are refused by name', () => {
  assert.throws(() => resolveQueueSettings({ concurrency: 0 }), /RangeError: concurrency/)
  assert.throws(() => resolveQueueSettings({ urgentPlaces: -1 }), /RangeError: urgentPlaces/)
  assert.throws(() => resolveQueueSettings({ pendingMax: 1.5 }), /TypeError: pendingMax must be an integer/)
  assert.throws(() => resolveQueueSettings({ memoryBytesMax: Infinity }), /RangeError: memoryBytesMax/)
  assert.throws(() => resolveQueueSettings({ labels: 'gpu' as unknown as string[] }), /TypeError: labels/)
})
