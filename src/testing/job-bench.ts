/** What one test of a job scheduler works with: the scheduler, the files its handlers see, specs, and a gate. */

import assert from 'node:assert/strict'
import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import type { JobScheduler, JobSpec } from '../jobs/jobs.ts'
import { testHandler } from './job-handlers.ts'
import { plainJobSpec } from './plain-job-spec.ts'

/** A scheduler for one test. */
export interface JobSchedulerUnderTest {
  /** Knows the handlers of `varve/testing/job-handlers`. */
  readonly scheduler: JobScheduler
  /** The same files as handlers see, empty at first. */
  readonly files: FileStore
  /** The one its handlers have, or one that goes with it. */
  readonly clock: Clock
  /** Closes the scheduler, if the test has not, and gives up the files. */
  close(): Promise<void>
}

// Of anything that is waited for: machines that test are busy.
const PATIENCE_MS = 60_000

/** One test of a scheduler, and what it needs again and again. */
export class JobBench {
  /** As given. */
  readonly scheduler: JobScheduler
  /** As given. */
  readonly files: FileStore
  /** As given. */
  readonly clock: Clock
  /** As given. */
  readonly close: () => Promise<void>
  #specCount = 0

  /** @param opened closed by `close` */
  constructor(opened: JobSchedulerUnderTest) {
    this.scheduler = opened.scheduler
    this.files = opened.files
    this.clock = opened.clock
    this.close = () => opened.close()
  }

  /** A job for one of this module's handlers, with an id of its own; `given` wins. */
  readonly spec = (handler: string, given: Partial<JobSpec> = {}): JobSpec => {
    const id = `job-${++this.#specCount}`
    return plainJobSpec(id, { handler: testHandler(handler), outputPrefix: `${id}-`, ...given })
  }

  /** Resolves when `condition` holds; rejects with an assertion after a minute. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    const limit = this.clock.monotonic() + PATIENCE_MS
    while (!(await condition())) {
      assert.ok(this.clock.monotonic() < limit, 'nothing happened for a minute')
      await this.clock.turn()
    }
  }

  /** Writes a file of three bytes: what opens a gate. */
  async writeFile(name: string): Promise<void> {
    const writer = await this.files.create(fileName(name))
    await writer.write(new Uint8Array(3))
    await writer.finish()
  }

  /** Resolves when a job is running that ends when the gate is opened. */
  async occupy(priority: number): Promise<{ open(): Promise<void> }> {
    const handle = this.scheduler.submit(
      this.spec('wait', { parameters: 'open-gate', outputPrefix: 'waiting-', priority }),
    )
    await this.until(async () => (await this.files.list('waiting-')).length > 0)
    return {
      open: async () => {
        await this.writeFile('open-gate')
        await handle.result
      },
    }
  }

  /** Turns of the event loop until `result` has settled, with which it rejects. */
  async turnsUntil(result: Promise<unknown>): Promise<number> {
    let turns = 0
    let ended = false
    const end = (): void => void (ended = true)
    result.then(end, end)
    for (; !ended; turns++) await this.clock.turn()
    await result
    return turns
  }
}

/** The error that `result` rejects with, which must have `code`. */
export async function rejection(result: Promise<unknown>, code: ErrorCode): Promise<VarveError> {
  const error = await result.then(
    () => assert.fail(`resolved, but was to reject with ${code}`),
    (reason: unknown) => reason,
  )
  return checked(error, code)
}

/** The error that `call` throws, which must have `code`. */
export function thrown(call: () => unknown, code: ErrorCode): VarveError {
  try {
    call()
  } catch (error) {
    return checked(error, code)
  }
  return assert.fail(`did not throw ${code}`)
}

function checked(error: unknown, code: ErrorCode): VarveError {
  assert.ok(error instanceof VarveError, `expected ${code}, got ${String(error)}`)
  assert.equal(error.code, code, `expected ${code}, got ${error.code}: ${error.message}`)
  return error
}
