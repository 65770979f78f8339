/** Seeded bugs in who gets a job, for how long, and what becomes of one that nobody takes. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const JOB_SERVICE = 'src/jobs/remote/job-service.test.js'
const PATIENCE = 'test/jobs/job-broker-patience.test.js'

export const QUEUE_MUTANTS: readonly Mutant[] = [
  mutant(
    'stuck-job-keeps-its-worker',
    'jobs/lease-progress.js',
    'return nowMs - this.#movedMs < this.#stuckMs;',
    'return true;',
    PATIENCE,
  ),
  mutant('progress-is-stuck-too', 'jobs/lease-progress.js', 'this.#movedMs = nowMs;', '', PATIENCE),
  mutant(
    'stuck-time-of-a-plan-ignored',
    'jobs/remote/job-broker.js',
    'job.spec.stuckMs ?? this.#settings.stuckMs',
    'this.#settings.stuckMs',
    PATIENCE,
  ),
  mutant(
    'one-more-worker-gets-stuck',
    'jobs/remote/job-broker.js',
    'else if (tries < this.#settings.triesMax)',
    'else if (tries <= this.#settings.triesMax)',
    'src/jobs/remote/job-broker.test.js',
    PATIENCE,
  ),
  mutant(
    'too-large-for-all-waits-for-the-busy',
    'jobs/remote/job-broker.js',
    'if (lease !== undefined && fits(job, lease.offer))',
    'if (lease !== undefined)',
    PATIENCE,
  ),
  mutant(
    'between-two-jobs-is-not-at-work',
    'jobs/remote/job-broker.js',
    'if (job.lease !== undefined)\n            this.#offers.see(job.lease.offer);',
    '',
    PATIENCE,
  ),
  mutant('any-recent-offer-counts', 'jobs/remote/recent-offers.js', 'if (fits(job, offer))', 'if (true)', PATIENCE),
  mutant(
    'stuck-on-nats-keeps-its-worker',
    'jobs/nats/offered-job.js',
    'if (!this.#lease.progress.reach(mail.fraction))',
    'if (false)',
    'src/jobs/nats/lost-mail.test.js',
  ),
  mutant(
    'threads-without-the-labels-of-work',
    'cli/serve/job-threads.js',
    'labels: settings.labels ?? []',
    'labels: []',
    'test/cli/serve.test.js',
  ),
  mutant(
    'refused-by-another-version-fails',
    'jobs/distant-scheduler.js',
    "this.#local !== undefined && isCode(error, 'INCOMPATIBLE')",
    'false',
    'test/jobs/remote-scheduler.test.js',
  ),
  mutant(
    'another-version-is-a-failure-of-the-work',
    'jobs/remote/job-broker.js',
    "if (!isCode(outcome.error, 'INCOMPATIBLE'))",
    'if (true)',
    'src/jobs/remote/job-broker.test.js',
    PATIENCE,
  ),
  mutant(
    'wrong-token-of-a-queue-is-not-told',
    'jobs/remote/remote-scheduler.js',
    'if (this.#admitted && isCode(',
    'if (isCode(',
    'src/jobs/remote/remote-scheduler.test.js',
  ),
  mutant(
    'local-run-under-remote-names',
    'jobs/distant-scheduler.js',
    'outputPrefix: `${spec.outputPrefix}l-`',
    'outputPrefix: spec.outputPrefix',
    'src/jobs/remote/remote-scheduler.test.js',
  ),
  mutant(
    'broker-counts-no-failure',
    'jobs/remote/job-broker.js',
    "if (!isCode(outcome.error, 'INCOMPATIBLE'))",
    'if (false)',
    'src/jobs/remote/job-broker.test.js',
  ),
  mutant(
    'success-is-forgotten-in-quarantine',
    'jobs/remote/quarantine.js',
    'succeeded(spec) {\n        this.#failing.delete(workName(spec));',
    'succeeded(spec) {',
    'src/jobs/remote/job-broker.test.js',
  ),
  mutant('jobs-of-any-shard', 'jobs/remote/job-service.js', 'checkShard(grant, shard);', '', JOB_SERVICE),
  mutant(
    'outputs-among-files-of-any-shard',
    'jobs/remote/job-service.js',
    'checkFileName(grant, spec.outputPrefix);',
    '',
    JOB_SERVICE,
  ),
  mutant(
    'inputs-of-any-shard',
    'jobs/remote/job-service.js',
    'checkFileName(grant, input.ref.name);',
    'void input;',
    JOB_SERVICE,
  ),
]
