/** A composition whose files and heads are objects of an S3-compatible store, behind a disk cache; its journal stays where it is. */

import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { CachedFileStore } from '../src/fs/cache/cached-file-store.ts'
import { DiskCache } from '../src/fs/cache/disk-cache.ts'
import type { S3Client } from '../src/fs/s3/s3-client.ts'
import { S3FileStore } from '../src/fs/s3/s3-file-store.ts'
import { S3HeadStore } from '../src/fs/s3/s3-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { KIB } from '../src/kernel/limits.ts'
import { SimulatedDevice } from '../src/testing/simulated-device.ts'

/** Small, so that it is full all the time. */
const CACHE_BYTES = 64 * KIB
const CACHE_SETTINGS = Object.freeze({ chunkBytes: 4 * KIB })

/**
 * @param parts `parts.jobs` is what is replaced: it sees other files
 * @param client closed with the shard
 * @param device where the cache is; what is on it stays from one opening to the next
 */
export async function withPartsOnS3(
  parts: KvComponents,
  client: S3Client,
  device: SimulatedDevice = new SimulatedDevice(),
): Promise<KvComponents> {
  const { hash, clock } = parts
  const heads = await S3HeadStore.open({ client, hash })
  const cache = await DiskCache.open({
    device,
    directory: 'cache',
    bytesMax: CACHE_BYTES,
    hash,
    settings: CACHE_SETTINGS,
  })
  const files = new CachedFileStore(await S3FileStore.open({ client, hash }), { cache })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  return {
    ...parts,
    files,
    heads,
    jobs,
    close: async () => {
      await jobs.close()
      await files.close()
      await cache.close()
      await client.close()
      await parts.close?.()
    },
  }
}
