/** The journals of a directory that is served: one log for all shards, or one for each. */

import { LocalHeadStore } from '../../fs/local-head-store.ts'
import type { JournalSystem } from '../../journal/journal.ts'
import { LocalJournalSystem } from '../../journal/local-journal-system.ts'
import { RenewedSharedJournal } from '../../journal/renewed-shared-journal.ts'
import { ReservedJournals } from '../../journal/reserved-journals.ts'
import type { Device } from '../../kernel/device.ts'
import { JOURNAL } from '../../local-layout.ts'
import { openJournalDisk } from './journal-disk.ts'
import type { ServedBasis } from './served-directory.ts'
import { openSharedLog } from './shared-log.ts'

/** What is served, and where: `directory` is how messages name it. */
export interface ServedDevice extends ServedBasis {
  readonly device: Device
  readonly directory: string
}

/** One log per shard, in the layout of an embedded database. @throws {VarveError} NO_SPACE — the disk is too small */
export async function journalsOn(served: ServedDevice): Promise<JournalSystem> {
  const { device, hash, random, clock } = served
  const { space, settings } = await openJournalDisk(served)
  const crowded = (): boolean => space.full
  const journals = new LocalJournalSystem({ device, directory: JOURNAL, hash, random, clock, crowded, settings })
  return new ReservedJournals(journals, space)
}

/**
 * One log for all shards.
 *
 *      <directory>/state/    epoch of the log, and what its journal keeps
 *      <directory>/log/      segments
 *      <directory>/reserve   space set aside for the day the disk is full
 *
 * @throws {VarveError} JOURNAL_CORRUPT, HEAD_CORRUPT; NO_SPACE — the disk is too small, or full and there is no reserve
 */
export async function sharedJournalOn(served: ServedDevice): Promise<JournalSystem> {
  const { device, hash, random, clock, opened } = served
  const { space, settings } = await openJournalDisk(served)
  const heads = await space.attempt(() => LocalHeadStore.open({ device, directory: 'state', hash, random }))
  await heads.removeLeftovers()
  const journals = new LocalJournalSystem({ device, directory: 'log', hash, random, clock, settings })
  const reclaim = { reclaimBytes: settings.segmentBytes }
  const crowded = (): boolean => space.full
  const system = await space.attempt(() =>
    RenewedSharedJournal.open(() => openSharedLog(heads, journals), reclaim, crowded),
  )
  opened.add(() => system.close())
  return new ReservedJournals(system, space)
}
