/** The system's randomness: the one place that asks for it. */

import { randomInt } from 'node:crypto'
import type { Random } from './kernel/random.ts'

/** The system's randomness, fit for nonces and salts. Holds nothing: one may serve a whole process. */
export class SystemRandom implements Random {
  u32(): number {
    return randomInt(0, 0x1_0000_0000)
  }
}
