/** What the write path needs of the shard around it. */

import type { VarveError } from '../kernel/errors.ts'
import type { Pace } from '../kernel/pace.ts'
import type { KeepAlive } from './keep-alive.ts'
import type { HoldReason } from './write-refusal.ts'

export interface WriteHost {
  /** A group has ended and the memtable has reached its size: freeze it. May hold writes. */
  freeze(): void
  /** Nothing of the last groups is in the journal, because of `error`: rebuild the memtable, then release 'rebuild'. */
  rebuild(error: VarveError): void
  /** `visible` has grown. */
  advanced(): void
  /** An operation was refused, because nobody knows what became of an earlier one. */
  doubts(): void
  /** An operation was refused because the disk is full. */
  refused(): void
  /** Why writes that wait for all of `holds` would wait in vain. */
  inVain(holds: ReadonlySet<HoldReason>): VarveError | undefined
  /** Keeps the process alive while writes wait. */
  readonly keepAlive: KeepAlive
  /** Taken by every group that is written: where the journal writes at once, nothing else would let the event loop turn. */
  readonly pace: Pace
  now(): number
  /** Resolves in a later turn of the event loop. */
  turn(): Promise<void>
}
