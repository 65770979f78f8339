/** The segments that are there: their names, and which of those of the last owner ever came to be. */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import type { Closing } from './fence.ts'
import type { JournalState } from './journal-state.ts'
import type { RecoveryComponents } from './recovery.ts'
import { isUsedAgain, readSegmentId } from './segment-header.ts'
import { KEPT_INDEX, compareSegments, parseSegmentName, sameOwner, segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'

/** In order of creation. Directories only where a segment that `state` knows should be: opening it says so. */
export async function listSegments(device: Device, directory: string, state?: JournalState): Promise<SegmentId[]> {
  const ids: SegmentId[] = []
  try {
    for (const entry of await device.list(directory)) {
      const id = parseSegmentName(entry.name)
      if (id !== undefined && (!entry.directory || (state !== undefined && sameOwner(id, state)))) ids.push(id)
    }
  } catch (error) {
    if (!isCode(error, 'NOT_FOUND')) throw error
  }
  return ids.sort(compareSegments)
}

/** Those of the last owner, without the files that were to be its next segments (spare-segment.ts), behind the others. */
export async function begunSegments(
  { device, directory, shard }: RecoveryComponents,
  listed: readonly SegmentId[],
  state: JournalState,
  closing: Closing | undefined,
): Promise<SegmentId[]> {
  const own = listed.filter((id) => sameOwner(id, state) && id.index !== KEPT_INDEX)
  // Where the log ended, an empty one has been cut.
  for (let last = own.at(-1); last !== undefined && last.index !== closing?.index; last = own.at(-1)) {
    const path = `${directory}/${segmentName(last)}`
    const isNew = (await device.stat(path))?.bytes === 0
    if (!isNew && !(await isAdopted({ device, shard }, path, own[0] as SegmentId))) break
    own.pop()
    // There is never more than one: behind it there are only those that were dropped.
    if (isNew) break
  }
  return own
}

/** Whether the file at `path` is that of a segment before `oldest`, with nothing of its own yet. */
async function isAdopted(
  { device, shard }: Pick<RecoveryComponents, 'device' | 'shard'>,
  path: string,
  oldest: SegmentId,
): Promise<boolean> {
  const file = await openListed(device, path)
  if (file === undefined) return false
  try {
    const former = await readSegmentId(file, shard)
    return former !== undefined && isUsedAgain(former, oldest)
  } finally {
    await file.close()
  }
}

/** Undefined where the file has gone since it was listed: truncate dropped it, in another process. */
export async function openListed(device: Device, path: string): Promise<DeviceFile | undefined> {
  try {
    return await device.open(path, 'read')
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
