/** Where the jobs of a queue are, and those that were given up. */

import type { StreamSettings } from '../../nats/nats.ts'

// Enough to find out what is wrong with them.
const DEAD_LETTERS_MAX = 1_000

export interface JobStreams {
  readonly jobs: StreamSettings
  /** Of all jobs. */
  readonly filter: string
  /** Told that there is a job. */
  readonly bell: string
  /** Where workers that are at work say so. */
  readonly presence: string
  readonly dead: StreamSettings
}

/** @param queue letters, digits, `_` and `-` */
export function jobStreams(queue: string, replicas: number): JobStreams {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(queue))
    throw new TypeError(`queue must be letters, digits, _ and -, got ${JSON.stringify(queue)}`)
  const filter = `${queue}.jobs.>`
  return {
    jobs: { name: `${queue}-jobs`, subjects: [filter], retention: 'workqueue', replicas },
    filter,
    bell: `${queue}.jobs-bell`,
    presence: `${queue}.jobs-presence`,
    dead: {
      name: `${queue}-dead-jobs`,
      subjects: [`${queue}.dead-jobs`],
      retention: 'limits',
      messagesMax: DEAD_LETTERS_MAX,
      replicas,
    },
  }
}
