/** What an engine's suite may run over in place of local parts: the same promises, kept by other means. */

import { EncryptedFileStore } from '../../src/fs/encrypted-file-store.ts'
import { EncryptedHeadStore } from '../../src/fs/encrypted-head-store.ts'
import { FaultyHeadStore } from '../../src/fs/faulty-stores.ts'
import { KeyRing } from '../../src/fs/key-ring.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { EngineSuite } from '../../src/testing/engine-bench.ts'
import { LateAnswers } from '../../src/testing/late-answers.ts'
import { PoorJobScheduler } from '../../src/testing/poor-job-scheduler.ts'
import { PoorJournalSystem } from '../../src/testing/poor-journal-system.ts'
import { PoorFileStore, PoorHeadStore } from '../../src/testing/poor-stores.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'

export type OtherParts = Pick<EngineSuite, 'device' | 'compose'>

const hash = await loadHash()
const clock = new SimulatedClock()

/** Nothing synchronous, no shared memory, no reading of the journal, every answer late and out of order, jobs run twice. */
export function poorParts(): OtherParts {
  const random = new SeededRandom(1)
  const late = { random, clock, turnsMax: 2 }
  return {
    compose(parts, inline) {
      const files = new PoorFileStore(parts.files, late)
      const heads = new PoorHeadStore(parts.heads, late)
      const journal = new PoorJournalSystem(parts.journal, { ...late, read: false })
      const jobs = new PoorJobScheduler({ inner: inline(files), clock, pendingMax: 16, delayTurns: 3, random })
      return { files, heads, journal, jobs, localJobs: inline(files) }
    },
  }
}

/** A disk that does nothing synchronously and answers late, out of order. */
export function poorDisk(): OtherParts {
  const late = new LateAnswers({ random: new SeededRandom(2), clock, turnsMax: 2 })
  return { device: { syncRead: false, syncWrite: false, delay: () => late.pass() } }
}

export function encryptedParts(): OtherParts {
  const options = {
    keys: new KeyRing([{ id: 'test', secret: new Uint8Array(32).fill(9) }]),
    random: new SeededRandom(3),
    hash,
  }
  return {
    compose(parts, inline) {
      const files = new EncryptedFileStore(parts.files, options)
      return { ...parts, files, heads: new EncryptedHeadStore(parts.heads, options), jobs: inline(files) }
    },
  }
}

/** Half of all compare-and-sets happen, and say that nobody knows whether they did. */
export function forgetfulHeads(): OtherParts {
  const random = new SeededRandom(4)
  const error = new VarveError('OUTCOME_UNKNOWN', 'the answer was lost', { details: { operation: 'compareAndSet' } })
  return {
    compose: (parts) => ({
      ...parts,
      heads: new FaultyHeadStore(parts.heads, {
        clock,
        plan: ({ operation }) =>
          operation === 'compareAndSet' && random.once(2) ? { error, happens: true } : undefined,
      }),
    }),
  }
}
