/** The disk that journals are served from: what is set aside of it, and how large segments may be there. */

import { VarveError } from '../../kernel/errors.ts'
import { KIB, MIB } from '../../kernel/limits.ts'
import { LocalReserve, RESERVE_BYTES_DEFAULT, RESERVE_NAME } from '../../fs/local-reserve.ts'
import { JournalSpace } from '../../journal/journal-space.ts'
import { LOCAL_JOURNAL_DEFAULTS } from '../../journal/settings.ts'
import type { LocalJournalSettings } from '../../journal/settings.ts'
import type { ServedDevice } from './served-journals.ts'

// Below, a lock, heads and fences, a block each, are a good part of the disk.
const DISK_BYTES_MIN = 1 * MIB
// Space comes back in whole segments. A reserve holds two: what a shard needs of one is copied before that goes.
const SEGMENTS_PER_DISK = 16
const SEGMENTS_PER_RESERVE = 2

export interface JournalDisk {
  readonly space: JournalSpace
  readonly settings: Pick<LocalJournalSettings, 'segmentBytes' | 'preallocateBytes'>
}

/** @throws {VarveError} NO_SPACE — the disk is too small for journals at all */
export async function openJournalDisk({ device, directory, clock, opened }: ServedDevice): Promise<JournalDisk> {
  const { totalBytes } = await device.space('.')
  const settings = segmentsOn(totalBytes, directory)
  const reserve = await LocalReserve.open({ device, path: RESERVE_NAME, bytesMax: RESERVE_BYTES_DEFAULT })
  opened.add(() => reserve.close())
  const space = new JournalSpace({ reserve, bytes: SEGMENTS_PER_RESERVE * settings.segmentBytes, clock })
  opened.add(() => Promise.resolve(space.close()))
  await space.start()
  return { space, settings }
}

function segmentsOn(totalBytes: number, directory: string): JournalDisk['settings'] {
  const { segmentBytes, preallocateBytes } = LOCAL_JOURNAL_DEFAULTS
  // Some file systems do not say.
  if (totalBytes === 0) return { segmentBytes, preallocateBytes }
  if (totalBytes < DISK_BYTES_MIN) {
    const found = `the disk of ${directory} has ${Math.floor(totalBytes / KIB)} KiB in all`
    const needed = `journals need ${DISK_BYTES_MIN / KIB} KiB at the least, and the memtables of their shards twice`
    throw new VarveError('NO_SPACE', `${found}: ${needed}`, { details: { path: directory, totalBytes } })
  }
  const share = Math.min(1, totalBytes / SEGMENTS_PER_DISK / segmentBytes)
  return { segmentBytes: Math.floor(segmentBytes * share), preallocateBytes: Math.floor(preallocateBytes * share) }
}
