/** Phase one: every file of the tree into the shard. */

import { KV_LIMITS } from '../../engines/kv/limits.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import type { Hash } from '../../kernel/hash.ts'
import { showKey } from '../key-text.ts'
import type { Progress } from '../progress-bar.ts'
import { BatchWriter } from './batch-writer.ts'
import { forEachBounded, workLimits } from '../tree-files/bounded-work.ts'
import { readDiskFile } from '../tree-files/disk-file.ts'
import type { DiskFile } from '../tree-files/disk-file.ts'
import { contentKey, encodeStamp, stampKey } from './ingested-file.ts'
import type { IngestedFile } from './ingested-file.ts'
import type { InputFile, InputTree } from '../tree-files/input-tree.ts'

export interface Ingestion {
  /** In the order of their paths' bytes. */
  readonly files: readonly IngestedFile[]
  /** Bytes of the files' content. */
  readonly contentBytes: number
  /** Bytes of keys and values written. */
  readonly userBytes: number
  /** Files that were not ingested, with the reason. */
  readonly leftOut: readonly string[]
}

export async function ingest(
  shard: KvShard,
  tree: InputTree,
  hash: Hash,
  progress: Progress,
  signal: AbortSignal,
): Promise<Ingestion> {
  const files: IngestedFile[] = []
  const leftOut: string[] = []
  const writer = new BatchWriter(shard)
  let contentBytes = 0
  const sizeOf = ({ size }: InputFile): number => size
  await forEachBounded(tree.files, workLimits(signal), sizeOf, async ({ path, size }) => {
    const file = await readForShard(tree.root, path, size)
    if (typeof file === 'string') {
      leftOut.push(`${showKey(path)}: ${file}`)
      progress.advance(1, 0)
      return
    }
    const { stamp, content } = file
    files.push({ path, stamp, contentHash: hash.hash64(content, 0n), deleted: false })
    contentBytes += content.length
    await writer.add([
      { type: 'put', key: contentKey({ path }), value: content },
      { type: 'put', key: stampKey({ path }), value: encodeStamp(stamp) },
    ])
    progress.advance(1, content.length)
  })
  await writer.finish()
  files.sort((a, b) => Buffer.compare(a.path, b.path))
  return { files, contentBytes, userBytes: writer.userBytes, leftOut }
}

/** The file, or the reason why it cannot be ingested. */
async function readForShard(root: string, path: Buffer, size: number): Promise<DiskFile | string> {
  const limit = KV_LIMITS.valueBytesMax
  // Rounded, both could look alike.
  if (size > limit) return `has ${size} bytes, ${size - limit} more than a value may have`
  try {
    const file = await readDiskFile(root, path)
    return file.content.length > limit ? 'has grown over the limit for a value' : file
  } catch (error) {
    return (error as Error).message
  }
}
