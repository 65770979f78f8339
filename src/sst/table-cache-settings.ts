/** Settings of the table cache. */

import { checkInteger, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `TABLE_CACHE_DEFAULTS`. */
export interface TableCacheSettings {
  /**
   * Table files open at once, unless more are in use at the same time. Each takes a descriptor and its index and
   * filter. Range: 1 … 1,000,000.
   */
  readonly openFilesMax: number
}

/** What is not said. */
export const TABLE_CACHE_DEFAULTS: TableCacheSettings = Object.freeze({
  // Below the 1,024 descriptors many systems give a process, with room for journals, sockets and a second shard. At 64 MiB
  // a file this is 30 GiB.
  openFilesMax: 500,
})

/** @throws {TypeError | RangeError} */
export function resolveTableCacheSettings(input: Partial<TableCacheSettings> = {}): TableCacheSettings {
  const settings = overDefaults(TABLE_CACHE_DEFAULTS, input)
  checkInteger('openFilesMax', settings.openFilesMax, [1, 1_000_000])
  return Object.freeze(settings)
}
