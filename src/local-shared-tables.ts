/**
 * What a shard that has no head any more may share of the tables of others, as of the one that it was cloned from: that is named,
 * and cannot be saved.
 *
 * What it sees of which tables is in its heads, and in manifest files whose checksums are there too. After a split it sees a part
 * of a table, and values of the other part were never its own.
 */

import type { InspectedDirectory } from './local-inspection.ts'
import { FILES } from './local-layout.ts'
import type { Loss } from './local-salvage-visitor.ts'
import { writerOf } from './shard/file-names.ts'
import { clonePin } from './shard/pins.ts'

export const TABLE_NAME = /\.table$/

/** Of a shard whose heads cannot be read. */
export async function sharedTables(directory: InspectedDirectory): Promise<readonly Loss[]> {
  return [...(await ofHeads(directory)), ...(await ofStrangers(directory))]
}

/** What others keep for the shard, as their heads say. */
async function ofHeads(directory: InspectedDirectory): Promise<readonly Loss[]> {
  const { shard } = directory
  const losses: Loss[] = []
  for (const owner of await directory.otherShards()) {
    // What is wrong with it, whoever saves that one is told.
    const head = await directory.newestHead(() => undefined, owner)
    const files = head?.pins.find(({ name }) => name === clonePin(shard))?.files ?? []
    const { length } = files.filter((name) => TABLE_NAME.test(name))
    if (length === 0) continue
    losses.push(
      lossOf(
        `what ${shard} has of shard ${owner}, in tables of that one (${length}), is not saved: only its head says it`,
      ),
    )
  }
  return losses
}

/**
 * Of shards that have tables, but no head: nobody knows which of them the shard shares, and which were written after that, with
 * values that it never had.
 */
async function ofStrangers(directory: InspectedDirectory): Promise<readonly Loss[]> {
  const known: readonly string[] = [directory.shard, ...(await directory.otherShards())]
  const tables = (await directory.files.list()).filter(({ name }) => TABLE_NAME.test(name))
  const owners = [...new Set(tables.map(({ name }) => writerOf(name)))].filter((owner) => !known.includes(owner))
  return owners.map((owner) =>
    lossOf(
      `tables of shard ${owner} are not saved: without a head nothing says which of them ${directory.shard} shares`,
    ),
  )
}

function lossOf(reason: string): Loss {
  return { file: FILES, reason, keyFirst: undefined, keyLast: undefined }
}
