/** The fence that a head speaks of: where it has gone, this is not the journal of that head, or there is another owner. */

import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { compareOwners, fenced, listFences, pathOf } from './fence.ts'
import type { FenceOwner } from './fence.ts'
import { journalCorrupt } from './journal-corrupt.ts'

/**
 * Looks for the fence of the owner that was committed last: it was stored before that, and goes only after its successor
 * has been committed.
 *
 * @param opening the epoch of the owner that opens it, where that is to write
 * @throws {VarveError} JOURNAL_CORRUPT — this is not the directory that it had, or not all of it; or it was not the last
 * @throws {VarveError} FENCED — an owner after `opening` has been here
 */
export async function requireFence(
  device: Device,
  directory: string,
  committed: FenceOwner,
  opening = Infinity,
): Promise<void> {
  let owners: FenceOwner[] = []
  try {
    owners = await listFences(device, directory)
  } catch (error) {
    if (!isCode(error, 'NOT_FOUND')) throw error
  }
  if (owners.some((owner) => compareOwners(owner, committed) === 0)) return
  const last = owners.at(-1)
  if (last !== undefined && last.epoch > opening) throw fenced(last.epoch)
  throw journalCorrupt(pathOf(directory, committed), 0, 'the file is missing, and perhaps all of the journal')
}
