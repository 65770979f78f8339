/**
 * Which segment is missing where a log ends before everything that was synced: the one that its closing names, or the one
 * after the last that is there.
 */

import type { VarveError } from '../kernel/errors.ts'
import type { Closing } from './fence.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'

export interface LostEnd {
  readonly epoch: number
  readonly attempt: number
  /** Undefined where nothing tells. */
  readonly index: number | undefined
  /** The segment before may have been cut instead. */
  readonly orCut: boolean
}

/**
 * @param last the owner's last segment that is there
 * @param first whether nothing of the owner's can have been dropped
 * @returns undefined where the last segment that is there is the one that was cut
 */
export function lostEnd(
  { epoch, attempt }: Omit<SegmentId, 'index'>,
  last: SegmentId | undefined,
  first: boolean,
  closing: Closing | undefined,
): LostEnd | undefined {
  const owner = { epoch, attempt }
  if (closing !== undefined && last?.index === closing.index) return undefined
  if (last !== undefined) return { ...owner, index: last.index + 1, orCut: closing === undefined }
  return { ...owner, index: closing?.index ?? (first ? 1 : undefined), orCut: false }
}

/** @param former the segment before it */
export function endMissing(
  directory: string,
  { epoch, attempt, index, orCut }: LostEnd,
  former: { readonly path: string; readonly endOffset: number | undefined } | undefined,
  reason: string,
): VarveError {
  const name = segmentName({ epoch, attempt, index: index ?? 1 })
  if (index === undefined) return journalCorrupt(directory, 0, `${reason}: a file from ${name} on has gone`)
  if (former === undefined || !orCut) return journalCorrupt(`${directory}/${name}`, 0, `${reason}: the file has gone`)
  const cause = `it was cut, or ${name} behind it has gone`
  return journalCorrupt(former.path, former.endOffset ?? 0, `${reason}: ${cause}`)
}
