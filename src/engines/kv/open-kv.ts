/** Opening a key-value shard over given components. */

import type { Shard, ShardComponents } from '../../shard/shard.ts'
import type { ShardSettings } from '../../shard/settings.ts'
import { openShard } from '../../shard/open-shard.ts'
import { resolveShardSettings, SHARD_DEFAULTS } from '../../shard/settings.ts'
import { closeEach } from '../../kernel/close-each.ts'
import { VarveError, checkSignal } from '../../kernel/errors.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { DecodeThread } from '../../kernel/decode-thread.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import type { Lz4 } from '../../kernel/lz4.ts'
import { checkObject, checkOptionNames } from '../../kernel/option-names.ts'
import { unknownSetting } from '../../kernel/setting-check.ts'
import { ArenaPool } from '../../memtable/arena.ts'
import { BPlusTree } from '../../memtable/b-plus-tree.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { MemtableSupport } from '../../memtable/memtable.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { TableCache } from '../../sst/table-cache.ts'
import { KvEngine } from './engine.ts'
import type { KvOpenOptions } from './kv.ts'
import { KvShard } from './kv-shard.ts'
import type { Levels } from './levels.ts'
import { MergeSamples } from './merge-samples.ts'
import { checkOrder } from './named-order.ts'
import { flag } from './read-options.ts'
import { KV_DEFAULTS, isKvSetting, resolveKvSettings } from './settings.ts'
import type { KvSettings } from './settings.ts'
import { holdParts } from './shared-parts.ts'
import { ToldTables } from './told-tables.ts'

/** The parts of a key-value shard. What is optional is made where it is not given. */
export interface KvComponents extends ShardComponents {
  /** Memory for memtables; give the same pool to several shards for one budget. Default: one of its own. */
  readonly arenas?: ArenaPool
  /**
   * Makes memtables. What they hand over must be an image that flush jobs can read: a `TreeImage`, a `SortedArrayImage`.
   * Without versions: UNSUPPORTED. Default: a `BPlusTree` over `arenas`.
   */
  readonly memtable?: (order: KeyOrder) => OrderedMemtable
  /** Cache for blocks, shared likewise. Default: one of `cacheBytes`. */
  readonly cache?: BlockCache
  /** Decodes blocks that this thread reads. Default: `lz4-napi`. */
  readonly lz4?: Lz4 | undefined
  /** Decodes blocks beside those that were missed. Default: blocks are decoded when they are asked for. */
  readonly decoding?: DecodeThread | undefined
  /**
   * Closes the other components: runs after the shard has closed, or where opening it fails. With several shards over the
   * same one, after the last of them.
   */
  readonly close?: () => Promise<void>
}

/** Names of what `openKv` takes. */
export const KV_OPEN_OPTIONS: Readonly<Record<keyof KvOpenOptions, true>> = {
  createIfMissing: true,
  errorIfExists: true,
  readOnly: true,
  signal: true,
  settings: true,
  order: true,
}

/**
 * Opens a key-value shard. It takes over from whoever had it open.
 *
 * @throws {TypeError} {RangeError} an option or setting is wrong or unknown; the message names it
 * @throws {VarveError} what `openShard` throws
 */
export async function openKv(components: KvComponents, options: KvOpenOptions = {}): Promise<KvShard> {
  checkComponents(components)
  return openWith(components, options, (engine, settings) => openShard(components, engine, { ...options, settings }))
}

const NEEDED = ['shard', 'files', 'heads', 'journal', 'jobs', 'clock', 'random', 'hash'] as const

function checkComponents(components: unknown): void {
  if (typeof components !== 'object' || components === null)
    throw new TypeError(`components must be an object, got ${kindOf(components)}; open(directory) makes them`)
  const given = components as Partial<KvComponents>
  for (const name of NEEDED) if (given[name] === undefined) throw new TypeError(`components must have ${name}`)
}

/** As `openKv`, with another way to open the generic shard. */
export async function openWith(
  components: KvComponents,
  options: KvOpenOptions,
  openGeneric: (engine: KvEngine, settings: ShardSettings) => Promise<Shard<OrderedOperation, OrderedMemtable, Levels>>,
): Promise<KvShard> {
  const close = holdParts(components.close ?? ((): Promise<void> => Promise.resolve()))
  let tables: TableCache | undefined
  try {
    const { settings, shardSettings, order } = checkKvOptions(options)
    const arenas = components.arenas ?? new ArenaPool()
    const memtable = components.memtable ?? ((by: KeyOrder) => new BPlusTree({ pool: arenas, order: by }))
    const cache = components.cache ?? new BlockCache({ cacheBytes: settings.cacheBytes })
    const { files, heads, hash, clock, lz4, decoding } = components
    const reading = { order, hash, cache, lz4, decoding }
    tables = new TableCache(files, reading, { openFilesMax: settings.openFilesMax })
    // Who shares memory with a shard is in its process; who only reads has no jobs.
    const alone = options.readOnly === true || components.jobs.supports.sharedMemory
    const told = alone ? undefined : new ToldTables(files, reading)
    const sampled = { files, tables, reading, random: components.random, count: settings.jobSamples }
    const samples = alone ? undefined : new MergeSamples(sampled)
    const makeMemtable = (): OrderedMemtable => withVersions(memtable(order))
    const namedOrder = options.order
    const engine = new KvEngine({ settings, order, namedOrder, memtable: makeMemtable, tables, told, samples })
    const shard = await openGeneric(engine, shardSettings)
    return new KvShard({ files, heads, hash, shard, engine, order, cache, tables, clock, closeParts: close })
  } catch (error) {
    // Why it could not be opened is what is wanted.
    await closeEach([() => tables?.close(), close]).catch(() => undefined)
    throw error
  }
}

/** The type says so too, but not to every caller. */
function withVersions(memtable: OrderedMemtable): OrderedMemtable {
  const { versions }: MemtableSupport = memtable.supports
  if (versions) return memtable
  throw new VarveError('UNSUPPORTED', 'this memtable has no versions, which snapshots and scans read at', {
    details: { capability: 'versions' },
  })
}

const BOOLEANS = ['createIfMissing', 'errorIfExists', 'readOnly'] as const

/** @throws {TypeError} {RangeError} an option or setting is wrong; the message names it */
export function checkKvOptions(options: KvOpenOptions): {
  readonly settings: KvSettings
  readonly shardSettings: ShardSettings
  readonly order: KeyOrder
} {
  checkOptions(options)
  const { kv, shard } = splitSettings(options.settings ?? {})
  return {
    settings: resolveKvSettings(kv),
    shardSettings: resolveShardSettings(shard),
    order: checkOrder(options.order),
  }
}

/** As `checkOptionNames`; who gives a setting beside the options hears where it belongs. */
export function checkOpenOptionNames(options: unknown, known: Readonly<Record<string, true>>): void {
  checkObject('options', options)
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && isSetting(name))
      throw new TypeError(`unknown option ${name}: it is a setting, { settings: { ${name} } }`)
  }
  checkOptionNames(options, known)
}

function isSetting(name: string): boolean {
  return isKvSetting(name) || Object.hasOwn(SHARD_DEFAULTS, name)
}

function checkOptions(options: KvOpenOptions): void {
  checkOpenOptionNames(options, KV_OPEN_OPTIONS)
  for (const name of BOOLEANS) flag(name, options[name], false)
  checkSignal(options.signal)
  if (options.settings !== undefined) checkObject('settings', options.settings)
}

function splitSettings(settings: Readonly<Record<string, unknown>>): {
  readonly kv: Record<string, never>
  readonly shard: Record<string, never>
} {
  const kv: Record<string, unknown> = {}
  const shard: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(settings)) {
    if (isKvSetting(name)) kv[name] = value
    else if (Object.hasOwn(SHARD_DEFAULTS, name)) shard[name] = value
    else if (value !== undefined) throw unknownSetting(name, { ...KV_DEFAULTS, ...SHARD_DEFAULTS })
  }
  return { kv: kv as Record<string, never>, shard: shard as Record<string, never> }
}
