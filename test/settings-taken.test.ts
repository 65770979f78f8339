/** What opening takes as a setting, flushes and compactions take as well: they meet it on other threads, and much later. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KvSettings } from '../src/engines/kv/settings.ts'
import { KIB, MIB } from '../src/kernel/limits.ts'
import { open } from '../src/local.ts'
import type { ShardSettings } from '../src/shard/settings.ts'

/** The ends of ranges, and fractions where there may be some. */
const TAKEN: readonly Partial<KvSettings & ShardSettings>[] = [
  { filterBitsPerKey: 1.5, levelSizeRatio: 2.5 },
  { filterBitsPerKey: 0.01 },
  { filterBitsPerKey: 40, blockBytes: 64, openFilesMax: 8, cacheBytes: 0 },
  { blockBytes: 1 * MIB, tableBytes: 1 * KIB, jobBytes: 1 * KIB, levelBytesBase: 1 * KIB, levelCount: 2 },
  { memtableBytes: 1 * KIB, frozenMax: 1, compactionsMax: 1, groupBytesMax: 1, level0Files: 1, level0FilesStop: 2 },
]

for (const settings of TAKEN) {
  test(`what opening takes is flushed and compacted with: ${JSON.stringify(settings)}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'varve-settings-'))
    try {
      const db = await open(directory, { jobs: 'inline', settings: { memtableBytes: 16 * KIB, ...settings } })
      for (let index = 0; index < 200; index++) await db.put(Buffer.from(`key ${index}`), Buffer.alloc(200, index))
      await db.flush()
      await db.compactRange()
      for (let index = 0; index < 200; index++)
        assert.deepEqual(Buffer.from((await db.get(Buffer.from(`key ${index}`))) ?? ''), Buffer.alloc(200, index))
      await db.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}
