/** A job of which nothing matters but what a test says. */

import type { JobSpec } from '../jobs/jobs.ts'

/** The first attempt of job `id`, ordinary, without inputs. @param given what is to be otherwise */
export function plainJobSpec(id: string, given: Partial<JobSpec> = {}): JobSpec {
  return {
    id,
    attempt: 1,
    handler: { module: 'm', export: 'x', version: 1 },
    inputs: [],
    parameters: null,
    pinnedSeqnos: [],
    outputPrefix: `${id}-a1-`,
    requirements: { memoryBytes: 0, labels: [] },
    priority: 1,
    ...given,
  }
}
