/** A broker by a simulated clock, shards that submit to it, and workers that ask it. */

import { plainJobSpec } from '../../src/testing/plain-job-spec.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import type { JobSpec } from '../../src/jobs/jobs.ts'
import type { BrokeredJob, JobOutcome } from '../../src/jobs/remote/brokered-job.ts'
import { JobBroker } from '../../src/jobs/remote/job-broker.ts'
import type { LeasedJob } from '../../src/jobs/remote/brokered-job.ts'
import type { BrokerSettings } from '../../src/jobs/remote/settings.ts'
import type { WorkerOffer } from '../../src/jobs/remote/worker-settings.ts'

export const RESULT = Object.freeze({ outputs: [], statistics: {} })

export class BrokerBench {
  readonly clock = new SimulatedClock()
  readonly broker: JobBroker
  #count = 0

  constructor(settings: Partial<BrokerSettings> = {}) {
    const patience = { leaseMs: 1_000, ...settings }
    this.broker = new JobBroker({ clock: this.clock, random: new SeededRandom(1), settings: patience })
  }

  submit(shard: string, given: Partial<JobSpec> = {}): BrokeredJob {
    const id = `${shard}.e1-j${++this.#count}`
    return this.broker.submit(id, shard, plainJobSpec(id, given), this)
  }

  async pull(offer: Partial<WorkerOffer> = {}): Promise<LeasedJob | undefined> {
    const stop = new AbortController()
    const whole = { urgentOnly: false, memoryBytes: 100, labels: [], ...offer }
    const pulled = this.broker.pull(whole, stop.signal)
    await this.clock.turn()
    stop.abort()
    return pulled
  }

  async outcome(job: BrokeredJob): Promise<JobOutcome | undefined> {
    return Promise.race([job.outcome, this.clock.turn().then(() => undefined)])
  }
}
