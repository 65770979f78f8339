/** Settings and compositions under which the same commands must have the same answers. */

import { COMPOSITIONS } from '../compositions.ts'
import type { Composition } from '../compositions.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import type { SimulationSettings } from '../simulation.ts'

const BIG = { memtableBytes: 1 << 20, tableBytes: 1 << 20, blockBytes: 4096, cacheBytes: 4 << 20 } as const

const SETTINGS: Readonly<Record<string, SimulationSettings>> = {
  defaults: {},
  tiny: TINY_SETTINGS,
  'everything in memory': { ...TINY_SETTINGS, ...BIG },
  'tiny memtables': { ...TINY_SETTINGS, ...BIG, memtableBytes: 1024 },
  'tiny tables': { ...TINY_SETTINGS, tableBytes: 1024, memtableBytes: 8192 },
  'tiny blocks': { ...TINY_SETTINGS, blockBytes: 64 },
  'large blocks': { ...TINY_SETTINGS, blockBytes: 65_536 },
  'no cache': { ...TINY_SETTINGS, cacheBytes: 0 },
  'no filter': { ...TINY_SETTINGS, filterBitsPerKey: 0 },
  'weak filter': { ...TINY_SETTINGS, filterBitsPerKey: 1 },
  'strong filter': { ...TINY_SETTINGS, filterBitsPerKey: 40 },
  'no compression': { ...TINY_SETTINGS, compression: 'none' },
  'no compression, no cache, no filter': { ...TINY_SETTINGS, compression: 'none', cacheBytes: 0, filterBitsPerKey: 0 },
  'one level': { ...TINY_SETTINGS, levelCount: 2 },
  'level 0 of one file': { ...TINY_SETTINGS, level0Files: 1, level0FilesStop: 2 },
  'level 0 of many files': { ...TINY_SETTINGS, level0Files: 100, level0FilesStop: 200 },
  'steep levels': { ...TINY_SETTINGS, levelBytesBase: 1024, levelSizeRatio: 10 },
  tiered: { ...TINY_SETTINGS, policy: 'tiered' },
  'tiered, four runs': { ...TINY_SETTINGS, policy: 'tiered', tierRuns: 4 },
  'tiered, tiny memtables': { ...TINY_SETTINGS, policy: 'tiered', memtableBytes: 1024 },
  'lazy-leveled': { ...TINY_SETTINGS, policy: 'lazy-leveled' },
  'lazy-leveled, no cache': { ...TINY_SETTINGS, policy: 'lazy-leveled', cacheBytes: 0 },
  'one compaction at a time': { ...TINY_SETTINGS, compactionsMax: 1 },
  'groups of one': { ...TINY_SETTINGS, groupBytesMax: 1024 },
  'one frozen memtable': { ...TINY_SETTINGS, frozenMax: 1 },
}

/** Its requests fail by themselves: with faults of this test on top, nobody may be able to tell whether a commit has happened. */
const OWN_FAULTS = 'files and heads on S3, jobs elsewhere, a local journal'

export const COMPOSITION_TABLE: readonly Composition[] = [
  ...Object.entries(SETTINGS).map(([name, settings]) => ({ name, settings })),
  // Other parts; what else that table has are settings, and directories.
  ...tiny(
    COMPOSITIONS.filter(
      ({ name, composer, device }) => (composer !== undefined || device !== undefined) && name !== OWN_FAULTS,
    ),
  ),
]

/** With real files and threads. What opens a directory finds the addon, where it was built and is not turned off. */
export const DIRECTORY_TABLE: readonly Composition[] = tiny(COMPOSITIONS.filter(({ local }) => local !== undefined))

function tiny(compositions: readonly Composition[]): readonly Composition[] {
  return compositions.map((composition) => ({
    ...composition,
    settings: { ...TINY_SETTINGS, ...composition.settings },
  }))
}
