/** What the docstrings of settings say of their ranges, held against what the settings are checked with. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveMapClientSettings } from '../src/cluster/map-client.ts'
import { resolveKvSettings } from '../src/engines/kv/settings.ts'
import { resolveDiskCacheSettings } from '../src/fs/cache/settings.ts'
import { resolveS3Settings } from '../src/fs/s3/settings.ts'
import { resolveInlineSettings } from '../src/jobs/inline-scheduler.ts'
import { resolvePostgresJobSettings } from '../src/jobs/postgres/settings.ts'
import { resolveQueueSettings } from '../src/jobs/queue-settings.ts'
import { resolveBrokerSettings } from '../src/jobs/remote/settings.ts'
import { resolveJobWorkerSettings } from '../src/jobs/remote/worker-settings.ts'
import { resolveWorkerSettings } from '../src/jobs/worker-settings.ts'
import { resolveNatsJournalSettings } from '../src/journal/nats/settings.ts'
import { resolveLocalJournalSettings } from '../src/journal/settings.ts'
import { resolveSharedJournalSettings } from '../src/journal/shared-settings.ts'
import { GIB, KIB, MIB } from '../src/kernel/limits.ts'
import { ArenaPool } from '../src/memtable/arena.ts'
import { resolveNatsLogSettings } from '../src/nats/log-settings.ts'
import { resolveNatsSettings } from '../src/nats/settings.ts'
import { resolvePostgresSettings } from '../src/postgres/settings.ts'
import { resolveRpcSettings } from '../src/rpc/settings.ts'
import { resolveShardSettings } from '../src/shard/settings.ts'
import { resolveBlockCacheSettings } from '../src/sst/block-cache-settings.ts'
import { resolveRowTableSettings } from '../src/sst/row-settings.ts'
import { resolveTableCacheSettings } from '../src/sst/table-cache-settings.ts'
import { isSource, listFiles, readText } from '../tools/repository.ts'
import { parseFile } from '../tools/syntax.ts'
import type { SourceFile } from '../tools/syntax.ts'

type Resolve = (settings: Readonly<Record<string, unknown>>) => unknown

/** By the file that declares them, the settings there and what checks them. */
const SETTINGS: Readonly<Record<string, readonly [name: string, resolve: Resolve]>> = {
  'src/cluster/map-client.ts': ['MapClientSettings', resolveMapClientSettings],
  'src/engines/kv/settings.ts': ['KvSettings', resolveKvSettings],
  'src/fs/cache/settings.ts': ['DiskCacheSettings', resolveDiskCacheSettings],
  'src/fs/s3/settings.ts': ['S3Settings', resolveS3Settings],
  'src/jobs/inline-scheduler.ts': ['InlineSettings', resolveInlineSettings],
  'src/jobs/postgres/settings.ts': ['PostgresJobSettings', resolvePostgresJobSettings],
  'src/jobs/queue-settings.ts': ['QueueSettings', resolveQueueSettings],
  'src/jobs/remote/settings.ts': ['BrokerSettings', resolveBrokerSettings],
  'src/jobs/remote/worker-settings.ts': ['JobWorkerSettings', resolveJobWorkerSettings],
  'src/jobs/worker-settings.ts': ['WorkerSettings', resolveWorkerSettings],
  'src/journal/nats/settings.ts': ['NatsJournalSettings', resolveNatsJournalSettings],
  'src/journal/settings.ts': ['LocalJournalSettings', resolveLocalJournalSettings],
  'src/journal/shared-settings.ts': ['SharedJournalSettings', resolveSharedJournalSettings],
  'src/memtable/arena.ts': ['ArenaSettings', (settings) => new ArenaPool(settings)],
  'src/nats/log-settings.ts': ['NatsLogSettings', resolveNatsLogSettings],
  'src/nats/settings.ts': ['NatsSettings', resolveNatsSettings],
  'src/postgres/settings.ts': ['PostgresSettings', resolvePostgresSettings],
  'src/rpc/settings.ts': ['RpcSettings', resolveRpcSettings],
  'src/shard/policy/fifo.ts': ['FifoSettings', resolveKvSettings],
  'src/shard/policy/leveled.ts': ['LeveledSettings', resolveKvSettings],
  'src/shard/policy/tiered.ts': ['TieredSettings', resolveKvSettings],
  'src/shard/settings.ts': ['ShardSettings', resolveShardSettings],
  'src/sst/block-cache-settings.ts': ['BlockCacheSettings', resolveBlockCacheSettings],
  'src/sst/row-settings.ts': ['RowTableSettings', resolveRowTableSettings],
  'src/sst/table-cache-settings.ts': ['TableCacheSettings', resolveTableCacheSettings],
}

/** What must be given beside a bound, because two settings are compared with each other. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  preallocateBytes: { segmentBytes: 512 * MIB },
  segmentBytes: { preallocateBytes: 0 },
  level0Files: { level0FilesStop: 10_000 },
  level0FilesStop: { level0Files: 1 },
  heartbeatMs: { silenceMsMax: 3_600_000 },
  silenceMsMax: { heartbeatMs: 10 },
}

/** Which say otherwise what they may be: 1, 3 or 5. */
const OTHERWISE = new Set(['replicas'])

test('a setting takes what its docstring says is its range, and nothing outside', () => {
  for (const [path, [name, resolve]] of Object.entries(SETTINGS)) {
    for (const [setting, text] of numbersIn(parseFile(path), name)) {
      if (OTHERWISE.has(setting)) continue
      const what = `${path}: ${name}.${setting}`
      const range = rangeIn(text)
      assert.ok(range !== undefined, `${what} has no range: 'Range: 1 KiB … 1 GiB.' or 'Range: 0 or more.'`)
      const given = (value: number): unknown => resolve({ ...BESIDE[setting], [setting]: value })
      const [least, most] = range
      assert.doesNotThrow(() => given(least), `${what}: ${least} is refused`)
      assert.throws(() => given(least - 1), RangeError, `${what}: ${least - 1} is taken`)
      if (most === undefined) {
        assert.doesNotThrow(() => given(Number.MAX_SAFE_INTEGER), `${what}: there is a most`)
      } else {
        assert.doesNotThrow(() => given(most), `${what}: ${most} is refused`)
        assert.throws(() => given(most + 1), RangeError, `${what}: ${most + 1} is taken`)
      }
    }
  }
})

test('whatever resolves settings is held against its docstrings', () => {
  const held = new Set(Object.values(SETTINGS).map(([, resolve]) => resolve.name))
  const sources = listFiles().filter(isSource)
  const there = sources.flatMap((path) => readText(path).match(/(?<=^export function )resolve\w+Settings/gm) ?? [])
  assert.ok(there.length > 20, 'nothing resolves settings')
  assert.deepEqual(there.filter((name) => !held.has(name)).sort(), [])
})

test('ranges are read as they are written', () => {
  assert.deepEqual(rangeIn('Size, in bytes. Range: 4 KiB … 1 GiB.'), [4 * KIB, GIB])
  assert.deepEqual(rangeIn('Range: 0 B or more.'), [0, undefined])
  assert.deepEqual(rangeIn('Range: 1 … 3,600,000.'), [1, 3_600_000])
  assert.equal(rangeIn('In bytes.'), undefined)
})

/** Docstrings of the numbers of one interface, by their names. */
function numbersIn(file: SourceFile, name: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const statement of file.program.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : undefined
    if (declaration?.type !== 'TSInterfaceDeclaration' || declaration.id.name !== name) continue
    for (const member of declaration.body.body) {
      if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') continue
      if (member.typeAnnotation?.typeAnnotation.type !== 'TSNumberKeyword') continue
      const comment = file.comments.findLast(({ end }) => end <= member.start)
      found.set(member.key.name, (comment?.value ?? '').replace(/\n\s*\*/g, ' ').replace(/\s+/g, ' '))
    }
  }
  assert.ok(found.size > 0, `${file.path} has no numbers in ${name}`)
  return found
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: KIB, MiB: MIB, GiB: GIB }

function rangeIn(text: string): readonly [least: number, most: number | undefined] | undefined {
  const bound = String.raw`([\d,]+)(?: ([KMG]?i?B))?`
  const match = new RegExp(`Range: ${bound} (?:or more|… ${bound})\\.`).exec(text)
  if (match === null) return undefined
  const [, least, leastUnit, most, mostUnit] = match
  const size = (digits: string, unit: string | undefined): number =>
    Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : (UNITS[unit] as number))
  return [size(least as string, leastUnit), most === undefined ? undefined : size(most, mostUnit)]
}
