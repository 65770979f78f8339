/** Why writes wait, and what those are told that wait in vain. */

import { VarveError } from '../kernel/errors.ts'

export type HoldReason = 'flush' | 'compaction' | 'journal' | 'rebuild' | 'hand-over'

/** What writes wait for. */
interface Awaited {
  failingFor(ms: number): Error | undefined
}

/** What has not been done where it has failed. */
const NOT_DONE = {
  flush: 'memtables cannot be written to files',
  compaction: 'tables cannot be compacted',
  rebuild: 'the journal, which has refused a write, cannot be read',
} as const satisfies Partial<Record<HoldReason, string>>

/**
 * Writes that wait for a flush, a compaction or the journal wait in vain where none has succeeded for `ms` milliseconds: whoever goes
 * on waiting hears nothing of a directory that is gone, or of a damaged table. Nothing of what is refused is written.
 */
export function inVain(
  holds: ReadonlySet<HoldReason>,
  awaited: Readonly<Record<keyof typeof NOT_DONE, Awaited>>,
  ms: number,
): VarveError | undefined {
  for (const waitsFor of Object.keys(NOT_DONE) as (keyof typeof NOT_DONE)[]) {
    const cause = holds.has(waitsFor) ? awaited[waitsFor].failingFor(ms) : undefined
    if (cause === undefined) continue
    const next =
      'it is tried again, and writes are taken once it succeeds; what is damaged or gone has to be put back, or repaired'
    return new VarveError('BUSY', `${NOT_DONE[waitsFor]}, for which writes wait: ${cause.message}; ${next}`, {
      details: { waitsFor, ms },
      cause,
    })
  }
  return undefined
}
