/** Why writes wait, and what those are told that wait in vain. */

import { VarveError } from '../kernel/errors.ts'

export type HoldReason = 'flush' | 'compaction' | 'journal' | 'rebuild' | 'hand-over'

/** What writes wait for. */
interface Awaited {
  failingFor(ms: number): Error | undefined
}

/**
 * Writes that wait for a flush or a compaction wait in vain where none has succeeded for `ms` milliseconds: whoever goes
 * on waiting hears nothing of a directory that is gone, or of a damaged table. Nothing of what is refused is written.
 */
export function inVain(
  holds: ReadonlySet<HoldReason>,
  awaited: Readonly<Record<'flush' | 'compaction', Awaited>>,
  ms: number,
): VarveError | undefined {
  for (const waitsFor of ['flush', 'compaction'] as const) {
    const cause = holds.has(waitsFor) ? awaited[waitsFor].failingFor(ms) : undefined
    if (cause === undefined) continue
    const done = waitsFor === 'flush' ? 'memtables cannot be written to files' : 'tables cannot be compacted'
    const next =
      'it is tried again, and writes are taken once it succeeds; what is damaged or gone has to be put back, or repaired'
    return new VarveError('BUSY', `${done}, for which writes wait: ${cause.message}; ${next}`, {
      details: { waitsFor, ms },
      cause,
    })
  }
  return undefined
}
