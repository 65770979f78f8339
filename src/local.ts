/** The default composition: the key-value engine on a directory of this machine. */

import * as kvJobs from './engines/kv/jobs.ts'
import type { KvOpenOptions } from './engines/kv/kv.ts'
import type { KvShard } from './engines/kv/kv-shard.ts'
import { checkKvOptions, openKv } from './engines/kv/open-kv.ts'
import { checkOptionNames } from './kernel/option-names.ts'
import { localComponents } from './local-components.ts'
import type { LocalHandlers, LocalOptions } from './local-components.ts'

/** What `localComponents` needs for a key-value shard. */
export const KV_HANDLERS: Readonly<Record<string, LocalHandlers>> = Object.freeze({
  'varve/kv/jobs': { module: kvJobs, url: new URL('./engines/kv/jobs.js', import.meta.url) },
})

export interface LocalOpenOptions extends KvOpenOptions, LocalOptions {}

const OPTIONS: Readonly<Record<keyof LocalOpenOptions, true>> = {
  createIfMissing: true,
  errorIfExists: true,
  readOnly: true,
  settings: true,
  order: true,
  signal: true,
  jobs: true,
  workerUrl: true,
  reserveBytes: true,
  encryption: true,
  wrappers: true,
}

/**
 * Opens the key-value shard in `directory`, which is made where it is missing.
 *
 * @throws {TypeError} {RangeError} an option or setting is wrong or unknown; the message names it, and nothing is changed
 * @throws {VarveError} LOCKED — another live process (or this one) has it open
 * @throws {VarveError} NOT_FOUND — it is not there and `createIfMissing` is false, or it is to be opened read-only
 * @throws {VarveError} PERMISSION_DENIED, READ_ONLY, and what `openKv` throws
 */
export async function open(directory: string, options: LocalOpenOptions = {}): Promise<KvShard> {
  checkOptionNames(options, OPTIONS)
  // Before the directory is made, or its lock taken.
  checkKvOptions(options)
  const readOnly = options.readOnly === true
  const components = await localComponents(directory, {
    ...options,
    handlers: KV_HANDLERS,
    readOnly,
    create: options.createIfMissing !== false,
  })
  return openKv(components, options)
}
