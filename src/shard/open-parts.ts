/**
 * What is asked of the parts of a shard before it is opened over them: that nobody has closed them.
 *
 * It would be found out by the first flush, long after writes were acknowledged, or, where every table is in the cache, never.
 */

import type { FileStore } from '../fs/fs.ts'
import type { JobScheduler } from '../jobs/jobs.ts'

/**
 * Asks nobody elsewhere, and waits for no room.
 *
 * @param jobs none, where only reading is wanted
 * @throws {VarveError} CLOSED
 */
export async function requireOpen(files: FileStore, jobs: readonly (JobScheduler | undefined)[]): Promise<void> {
  if (files.pendingBytes < files.pendingBytesMax) await files.ready()
  for (const scheduler of jobs)
    if (scheduler !== undefined && scheduler.pending < scheduler.pendingMax) await scheduler.ready()
}
