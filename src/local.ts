/** The default composition: the key-value engine on a directory of this machine. */

import * as kvJobs from './engines/kv/jobs.ts'
import type { KvOpenOptions } from './engines/kv/kv.ts'
import type { KvShard } from './engines/kv/kv-shard.ts'
import { KV_OPEN_OPTIONS, checkKvOptions, checkOpenOptionNames, openKv } from './engines/kv/open-kv.ts'
import { throwIfAborted } from './kernel/errors.ts'
import type { ShardId } from './kernel/ids.ts'
import { onlyGiven } from './kernel/setting-check.ts'
import { localComponents } from './local-components.ts'
import { memorySettings } from './local-memory.ts'
import { LOCAL_OPTIONS } from './local-options.ts'
import type { LocalHandlers, LocalOptions } from './local-options.ts'
import { requireAddons } from './sst/lz4-library.ts'
import { memoryLimitBytes } from './system-memory.ts'

/** What `localComponents` needs for a key-value shard. */
export const KV_HANDLERS: Readonly<Record<string, LocalHandlers>> = Object.freeze({
  'varve/kv/jobs': { module: kvJobs, url: new URL('./engines/kv/jobs.js', import.meta.url) },
})

/** Of the engine, the shard and the directory, in one object. Unknown names are a TypeError. */
export interface LocalOpenOptions extends KvOpenOptions, LocalOptions {}

const OPTIONS: Readonly<Record<keyof LocalOpenOptions, true>> = { ...KV_OPEN_OPTIONS, ...LOCAL_OPTIONS }

/**
 * Opens the key-value shard in `directory`, which is made where it is missing.
 *
 * @throws {TypeError} {RangeError} an option or setting is wrong or unknown; the message names it, and nothing is changed
 * @throws {VarveError} LOCKED — another live process (or this one) has it open
 * @throws {VarveError} NOT_FOUND — it is not there and `createIfMissing` is false, or it is to be opened read-only
 * @throws {VarveError} UNSUPPORTED — Node loads no addons, and flushes would compress; nothing is changed
 * @throws {VarveError} LIMIT_EXCEEDED — the path is so long that those of its files would not fit
 * @throws {VarveError} PERMISSION_DENIED, READ_ONLY, and what `openKv` throws
 */
export function open(directory: string, options: LocalOpenOptions = {}): Promise<KvShard> {
  return openNamed(directory, undefined, options)
}

/** As `open`. @param shard name of the one to open; default: as the composition has it */
export async function openNamed(
  directory: string,
  shard: ShardId | undefined,
  options: LocalOpenOptions,
): Promise<KvShard> {
  checkOpenOptionNames(options, OPTIONS)
  const ofKv = only(options, KV_OPEN_OPTIONS)
  // Before the directory is made, or its lock taken.
  const { settings: checked } = checkKvOptions(ofKv)
  if (options.readOnly !== true && checked.compression === 'lz4') requireAddons()
  throwIfAborted(options.signal)
  const components = await localComponents(directory, {
    ...only(options, LOCAL_OPTIONS),
    handlers: KV_HANDLERS,
    readOnly: options.readOnly === true,
    create: options.createIfMissing !== false,
  })
  const settings = { ...memorySettings(memoryLimitBytes()), ...onlyGiven(ofKv.settings ?? {}) }
  return openKv(shard === undefined ? components : { ...components, shard }, { ...ofKv, settings })
}

/** Those of `options` that have one of `names`. */
function only<Options extends object, Name extends keyof Options>(
  options: Options,
  names: Readonly<Record<Name, true>>,
): Pick<Options, Name> {
  const found: Partial<Pick<Options, Name>> = {}
  for (const name of Object.keys(names) as Name[]) if (options[name] !== undefined) found[name] = options[name]
  return found as Pick<Options, Name>
}
