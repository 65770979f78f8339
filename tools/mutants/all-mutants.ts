/** Every seeded bug. */

import { DISK_MUTANTS } from './disk-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'
import { REMOTE_MUTANTS } from './remote-mutants.ts'
import { STEP_MUTANTS } from './step-mutants.ts'
import { WRITE_MUTANTS } from './write-mutants.ts'

export const ALL_MUTANTS: readonly Mutant[] = [
  ...DISK_MUTANTS,
  ...ENGINE_MUTANTS,
  ...STEP_MUTANTS,
  ...WRITE_MUTANTS,
  ...REMOTE_MUTANTS,
]
