/** Settings of every part: one that is misspelt or of the wrong kind is refused by name, wherever it is given. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAP_CLIENT_DEFAULTS, resolveMapClientSettings } from '../src/cluster/map-client.ts'
import { KV_DEFAULTS, resolveKvSettings } from '../src/engines/kv/settings.ts'
import { DISK_CACHE_DEFAULTS, resolveDiskCacheSettings } from '../src/fs/cache/settings.ts'
import { S3_DEFAULTS, resolveS3Settings } from '../src/fs/s3/settings.ts'
import { INLINE_DEFAULTS, resolveInlineSettings } from '../src/jobs/inline-scheduler.ts'
import { POSTGRES_JOB_DEFAULTS, resolvePostgresJobSettings } from '../src/jobs/postgres/settings.ts'
import { QUEUE_DEFAULTS, resolveQueueSettings } from '../src/jobs/queue-settings.ts'
import { BROKER_DEFAULTS, resolveBrokerSettings } from '../src/jobs/remote/settings.ts'
import { JOB_WORKER_DEFAULTS, resolveJobWorkerSettings } from '../src/jobs/remote/worker-settings.ts'
import { WORKER_DEFAULTS, resolveWorkerSettings } from '../src/jobs/worker-settings.ts'
import { NATS_JOURNAL_DEFAULTS, resolveNatsJournalSettings } from '../src/journal/nats/settings.ts'
import { SHARED_JOURNAL_DEFAULTS, resolveSharedJournalSettings } from '../src/journal/shared-settings.ts'
import { LOCAL_JOURNAL_DEFAULTS, resolveLocalJournalSettings } from '../src/journal/settings.ts'
import { ARENA_DEFAULTS, ArenaPool } from '../src/memtable/arena.ts'
import { NATS_LOG_DEFAULTS, resolveNatsLogSettings } from '../src/nats/log-settings.ts'
import { NATS_DEFAULTS, resolveNatsSettings } from '../src/nats/settings.ts'
import { POSTGRES_DEFAULTS, resolvePostgresSettings } from '../src/postgres/settings.ts'
import { RPC_DEFAULTS, resolveRpcSettings } from '../src/rpc/settings.ts'
import { BLOCK_CACHE_DEFAULTS, resolveBlockCacheSettings } from '../src/sst/block-cache-settings.ts'
import { ROW_TABLE_DEFAULTS, resolveRowTableSettings } from '../src/sst/row-settings.ts'
import { TABLE_CACHE_DEFAULTS, resolveTableCacheSettings } from '../src/sst/table-cache-settings.ts'
import { SHARD_DEFAULTS, resolveShardSettings } from '../src/shard/settings.ts'

/** What takes settings, with its defaults. */
const TAKERS: Readonly<Record<string, readonly [defaults: object, take: (settings: never) => unknown]>> = {
  arenas: [ARENA_DEFAULTS, (settings) => new ArenaPool(settings).settings],
  'block cache': [BLOCK_CACHE_DEFAULTS, resolveBlockCacheSettings],
  broker: [BROKER_DEFAULTS, resolveBrokerSettings],
  'disk cache': [DISK_CACHE_DEFAULTS, resolveDiskCacheSettings],
  'inline jobs': [INLINE_DEFAULTS, resolveInlineSettings],
  'job queue': [QUEUE_DEFAULTS, resolveQueueSettings],
  'job worker': [JOB_WORKER_DEFAULTS, resolveJobWorkerSettings],
  'key-value engine': [KV_DEFAULTS, resolveKvSettings],
  'local journal': [LOCAL_JOURNAL_DEFAULTS, resolveLocalJournalSettings],
  'map client': [MAP_CLIENT_DEFAULTS, resolveMapClientSettings],
  NATS: [NATS_DEFAULTS, resolveNatsSettings],
  'journal on NATS': [NATS_JOURNAL_DEFAULTS, resolveNatsJournalSettings],
  'log on NATS': [NATS_LOG_DEFAULTS, resolveNatsLogSettings],
  PostgreSQL: [POSTGRES_DEFAULTS, resolvePostgresSettings],
  'jobs on PostgreSQL': [POSTGRES_JOB_DEFAULTS, resolvePostgresJobSettings],
  rpc: [RPC_DEFAULTS, resolveRpcSettings],
  S3: [S3_DEFAULTS, resolveS3Settings],
  'row tables': [ROW_TABLE_DEFAULTS, resolveRowTableSettings],
  'shared journal': [SHARED_JOURNAL_DEFAULTS, resolveSharedJournalSettings],
  'table cache': [TABLE_CACHE_DEFAULTS, resolveTableCacheSettings],
  shard: [SHARD_DEFAULTS, resolveShardSettings],
  'worker threads': [WORKER_DEFAULTS, resolveWorkerSettings],
}

for (const [name, [defaults, take]] of Object.entries(TAKERS)) {
  test(`settings (${name}): one that nobody knows is refused, with those there are`, () => {
    const first = Object.keys(defaults)[0]
    const message = new RegExp(`^unknown setting colour: there are .*${first}`)
    assert.throws(() => take({ colour: 1 } as never), { name: 'TypeError', message })
  })

  test(`settings (${name}): one that is undefined is not given`, () => {
    const undefineds = Object.fromEntries(Object.keys(defaults).map((each) => [each, undefined]))
    assert.deepEqual(take(undefineds as never), defaults)
  })

  test(`settings (${name}): a number is no text, and not NaN`, () => {
    for (const [setting, value] of Object.entries(defaults)) {
      if (typeof value !== 'number') continue
      for (const wrong of [String(value), NaN, null]) {
        const message = new RegExp(`^${setting} must be a number, got (string|NaN|null)$`)
        assert.throws(() => take({ [setting]: wrong } as never), { name: 'TypeError', message })
      }
    }
  })
}
