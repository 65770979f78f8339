/** Every seeded bug. */

import { CACHE_MUTANTS } from './cache-mutants.ts'
import { CONNECTION_MUTANTS } from './connection-mutants.ts'
import { DISK_MUTANTS } from './disk-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'
import { JOURNAL_SERVICE_MUTANTS } from './journal-service-mutants.ts'
import { PLACE_MUTANTS } from './place-mutants.ts'
import { POSTGRES_MUTANTS } from './postgres-mutants.ts'
import { QUEUE_MUTANTS } from './queue-mutants.ts'
import { READ_MUTANTS } from './read-mutants.ts'
import { REMOTE_MUTANTS } from './remote-mutants.ts'
import { SHARE_MUTANTS } from './share-mutants.ts'
import { SEGMENT_MUTANTS } from './segment-mutants.ts'
import { STEP_MUTANTS } from './step-mutants.ts'
import { UPKEEP_MUTANTS } from './upkeep-mutants.ts'
import { WAIT_MUTANTS } from './wait-mutants.ts'
import { WORKER_MUTANTS } from './worker-mutants.ts'
import { WRITE_MUTANTS } from './write-mutants.ts'

// Those whose tests are quick first.
export const ALL_MUTANTS: readonly Mutant[] = [
  ...WORKER_MUTANTS,
  ...WRITE_MUTANTS,
  ...UPKEEP_MUTANTS,
  ...WAIT_MUTANTS,
  ...PLACE_MUTANTS,
  ...REMOTE_MUTANTS,
  ...CONNECTION_MUTANTS,
  ...JOURNAL_SERVICE_MUTANTS,
  ...POSTGRES_MUTANTS,
  ...QUEUE_MUTANTS,
  ...CACHE_MUTANTS,
  ...READ_MUTANTS,
  ...SHARE_MUTANTS,
  ...SEGMENT_MUTANTS,
  ...STEP_MUTANTS,
  ...ENGINE_MUTANTS,
  ...DISK_MUTANTS,
]
