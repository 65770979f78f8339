import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { plainJobSpec } from '../testing/plain-job-spec.ts'
import { DistantScheduler } from './distant-scheduler.ts'
import type { JobResult, JobScheduler } from './jobs.ts'
import type { QueuedJob } from './queued-job.ts'

const SPEC = plainJobSpec('s.e1-j1')

/** Of a place where nobody takes anything. */
class LonelyScheduler extends DistantScheduler {
  readonly name = 'lonely'

  protected override run(job: QueuedJob): Promise<JobResult> {
    return this.runHere(job)
  }
}

/** A local scheduler with room when the test says so, whose job fails when it is cancelled. */
class LocalJobs {
  submitted = 0
  cancelled = 0
  readonly ready: JobScheduler['ready']
  readonly submit: JobScheduler['submit']

  constructor(room: Promise<void>) {
    this.ready = () => room
    this.submit = ({ id }) => {
      this.submitted++
      let fail = (_reason: Error): void => undefined
      const result = new Promise<JobResult>((_resolve, reject) => (fail = reject))
      const cancel = (): void => {
        this.cancelled++
        fail(new VarveError('ABORTED', 'it was cancelled'))
      }
      return { id, result, progress: () => 0, cancel }
    }
  }
}

function lonely(local: LocalJobs): LonelyScheduler {
  return new LonelyScheduler({ local: local as unknown as JobScheduler, pendingMax: 1 })
}

test('a job that is cancelled while it waits for room here does not begin any more', async () => {
  let empty = (): void => undefined
  const local = new LocalJobs(new Promise((resolve) => (empty = resolve)))
  const scheduler = lonely(local)
  const handle = scheduler.submit(SPEC)
  await new Promise((resolve) => setImmediate(resolve))
  handle.cancel()
  empty()
  await assert.rejects(handle.result, { code: 'ABORTED' })
  assert.equal(local.submitted, 0)
  await scheduler.close()
})

test('a job that runs here is stopped here when it is cancelled', async () => {
  const local = new LocalJobs(Promise.resolve())
  const scheduler = lonely(local)
  const handle = scheduler.submit(SPEC)
  await new Promise((resolve) => setImmediate(resolve))
  handle.cancel()
  await assert.rejects(handle.result, { code: 'ABORTED' })
  assert.deepEqual([local.submitted, local.cancelled], [1, 1])
  await scheduler.close()
})
