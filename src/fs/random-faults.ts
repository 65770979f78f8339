/** A fault plan by chance: the same seed and the same calls, the same faults. */

import { VarveError } from '../kernel/errors.ts'
import type { Random } from '../kernel/random.ts'
import type { Fault, FaultPlan } from './faulty-stores.ts'
import type { StoreCall, StoreOperation } from './store-call.ts'

/** How often, of all calls. Range of shares: 0 … 1. */
export interface FaultRates {
  /** Share of calls that fail, 0 … 1. Default 0. */
  readonly failures?: number
  /** Share of calls that are held back, 0 … 1. Default 0. */
  readonly delays?: number
  /** Longest delay, in milliseconds. Default 10. */
  readonly delayMsMax?: number
}

// Letting go does not fail: nobody could do anything about it.
const NEVER_FAIL: ReadonlySet<StoreOperation> = new Set(['abort', 'close', 'closeReader'])
// Of these the caller cannot know whether they happened.
const UNKNOWN: ReadonlySet<StoreOperation> = new Set(['finish', 'compareAndSet'])

/**
 * Fails as stores do: `finish` and `compareAndSet` with OUTCOME_UNKNOWN, having happened or not; `remove` with IO_FAILED,
 * likewise; everything else with IO_FAILED, without effect.
 *
 * @throws {RangeError} naming the rate
 */
export function randomFaults(random: Random, rates: FaultRates): FaultPlan {
  const { failures = 0, delays = 0, delayMsMax = 10 } = rates
  for (const [name, share] of Object.entries({ failures, delays }))
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} must be 0…1, got ${share}`)
  if (!(delayMsMax >= 0 && delayMsMax < Infinity))
    throw new RangeError(`delayMsMax must be 0 or more, got ${delayMsMax}`)
  const share = (): number => random.u32() / 2 ** 32
  return (call) => {
    const delay: Fault = share() < delays ? { delayMs: share() * delayMsMax } : {}
    if (share() >= failures || NEVER_FAIL.has(call.operation)) return delay
    const changes = UNKNOWN.has(call.operation) || call.operation === 'remove'
    return { ...delay, error: failureOf(call), happens: changes && share() < 0.5 }
  }
}

function failureOf({ operation, name }: StoreCall): VarveError {
  const details = { operation, path: name }
  return UNKNOWN.has(operation)
    ? new VarveError('OUTCOME_UNKNOWN', `${operation} of ${name}: its answer was lost: OUTCOME_UNKNOWN (injected)`, {
        details,
      })
    : new VarveError('IO_FAILED', `${operation} of ${name} failed: IO_FAILED (injected)`, { details })
}
