/** Every seeded bug. */

import { DISK_MUTANTS } from './disk-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'
import { STEP_MUTANTS } from './step-mutants.ts'

export const ALL_MUTANTS: readonly Mutant[] = [...DISK_MUTANTS, ...ENGINE_MUTANTS, ...STEP_MUTANTS]
