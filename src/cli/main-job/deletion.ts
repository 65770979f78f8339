/** Deletes every third file, both keys in one batch. */

import type { KvShard } from '../../engines/kv/kv-shard.ts'
import type { Progress } from '../progress-bar.ts'
import { BatchWriter } from './batch-writer.ts'
import { contentKey, stampKey } from './ingested-file.ts'
import type { IngestedFile } from './ingested-file.ts'

const EVERY = 3

/** @returns bytes of the keys that were written to delete them */
export async function deleteThird(
  shard: KvShard,
  files: readonly IngestedFile[],
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const writer = new BatchWriter(shard)
  for (const [index, file] of files.entries()) {
    if (index % EVERY !== 0) continue
    signal.throwIfAborted()
    await writer.add([
      { type: 'delete', key: contentKey(file) },
      { type: 'delete', key: stampKey(file) },
    ])
    file.deleted = true
    progress.advance(1, 0)
  }
  await writer.finish()
  return writer.userBytes
}
