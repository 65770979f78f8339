/** Seeded bugs in the threads that run jobs, and in what a job and its way to other threads leave behind. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const WORKER_POOL = 'test/jobs/worker-pool.test.js'
const WORKER_SCHEDULER = 'test/jobs/worker-scheduler.test.js'
const PORT_WIRE = 'src/rpc/port-wire.test.js'

export const WORKER_MUTANTS: readonly Mutant[] = [
  mutant(
    'deaths-of-workers-never-forgotten',
    'jobs/worker-pool.js',
    'if (worker.alive) {\n                this.#deathsInARow = 0;',
    'if (worker.alive) {',
    WORKER_POOL,
  ),
  mutant('dead-worker-stays-idle', 'jobs/worker-pool.js', 'this.#idle.splice(at, 1);', '', WORKER_POOL),
  mutant(
    'workers-replaced-ever-more-slowly-for-ever',
    'jobs/worker-pool.js',
    'Math.min(restartDelayMsMax, restartDelayMs * 2 ** (this.#deathsInARow - 2))',
    'restartDelayMs * 2 ** (this.#deathsInARow - 2)',
    WORKER_POOL,
  ),
  mutant(
    'job-that-was-cancelled-starts-a-worker',
    'jobs/worker-pool.js',
    'throwIfAborted(control.signal);',
    '',
    WORKER_POOL,
  ),
  mutant(
    'idle-worker-keeps-the-process-alive',
    'jobs/worker-pool.js',
    "control.signal.removeEventListener('abort', cancel);\n            this.#thread.unref();",
    "control.signal.removeEventListener('abort', cancel);",
    WORKER_SCHEDULER,
  ),
  mutant(
    'job-leaves-its-writers-open',
    'jobs/job-files.js',
    '...Array.from(this.#writers.values(), (writer) => writer.abort()),',
    '',
    'src/jobs/job-files.test.js',
  ),
  mutant(
    'what-waited-is-never-counted-as-heard',
    'rpc/port-wire.js',
    'return;\n            this.#hear(bytes);',
    'return;\n            this.#receiver?.received(bytes);',
    PORT_WIRE,
  ),
  mutant('port-hears-while-it-is-paused', 'rpc/port-wire.js', 'else if (this.#paused)', 'else if (false)', PORT_WIRE),
]
