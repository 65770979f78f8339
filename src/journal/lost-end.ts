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
  /** Of the segment that has gone. Undefined where nothing tells, or where none has. */
  readonly index: number | undefined
  /** Of the segment that was cut, or may have been instead. */
  readonly cut: number | undefined
}

/**
 * @param last the owner's last segment that is there
 * @param first whether nothing of the owner's can have been dropped
 */
export function lostEnd(
  { epoch, attempt }: Omit<SegmentId, 'index'>,
  last: SegmentId | undefined,
  first: boolean,
  closing: Closing | undefined,
): LostEnd {
  const owner = { epoch, attempt }
  if (closing !== undefined && last?.index === closing.index) return { ...owner, index: undefined, cut: last.index }
  if (last !== undefined)
    return { ...owner, index: last.index + 1, cut: closing === undefined ? last.index : undefined }
  return { ...owner, index: closing?.index ?? (first ? 1 : undefined), cut: undefined }
}

/** @param former the last segment that has something in it */
export function endMissing(
  directory: string,
  { epoch, attempt, index, cut }: LostEnd,
  former: { readonly path: string; readonly endOffset: number | undefined } | undefined,
  reason: string,
): VarveError {
  const name = (at: number): string => segmentName({ epoch, attempt, index: at })
  if (cut !== undefined) {
    const path = `${directory}/${name(cut)}`
    const cause = index === undefined ? 'it was cut' : `it was cut, or ${name(index)} behind it has gone`
    return journalCorrupt(path, former?.path === path ? (former.endOffset ?? 0) : 0, `${reason}: ${cause}`)
  }
  if (index === undefined) return journalCorrupt(directory, 0, `${reason}: a file from ${name(1)} on has gone`)
  return journalCorrupt(`${directory}/${name(index)}`, 0, `${reason}: the file has gone`)
}
