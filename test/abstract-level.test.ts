/**
 * abstract-level's own conformance suite over VarveLevel, once as a program opens it and once with every write flushed
 * to tables of small blocks, which are compacted all the time.
 *
 * The suite is written for tape. Its harness runs here inside a test of node:test, which holds the numbers against what
 * a whole run has: a suite that stopped half-way, or that ran nothing, is a failure too.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createHarness } from 'tape'
import type { Row } from 'tape'
import suite from 'abstract-level/test/index.js'
import { VarveLevel } from '../src/engines/level/varve-level.ts'
import type { BatchOperation } from '../src/engines/level/varve-level.ts'
import type { EncodedData } from '../src/engines/level/encoded-data.ts'
import type { LevelOpenOptions, LevelWriteOptions } from '../src/engines/level/level.ts'
import { open } from '../src/local.ts'

// abstract-level 3.1.1 has 5,168 for this manifest.
const ASSERTIONS_MIN = 5000
const TIMEOUT_MS = 5 * 60_000
// It asks what a database answers, not what survives: a thousand databases in memory are four times as fast as on a disk.
const MEMORY_FILES = '/dev/shm'

/* oxlint-disable eslint/no-underscore-dangle -- the private methods of abstract-level are called that */

/** Totals over all databases of a run. */
const counts = { flushes: 0, compactions: 0 }

/**
 * Every write is flushed before it resolves, so that reads find it in tables; a few of them make a compaction. Options are
 * set here and not by the caller, because hooks are shown the caller's and the suite compares them.
 */
class TinyLevel<K = string, V = string> extends VarveLevel<K, V> {
  #flush: () => Promise<void> = () => Promise.resolve()

  protected override _open(options: LevelOpenOptions): Promise<void> {
    return super._open({
      ...options,
      writeBufferSize: 2048,
      blockSize: 128,
      cacheSize: 0,
      maxFileSize: 4096,
      settings: { level0Files: 2, level0FilesStop: 4, levelBytesBase: 8192 },
      openShard: async (location, shardOptions) => {
        // A thread for every database would cost more than it brings.
        const shard = await open(location, { ...shardOptions, jobs: 'inline' })
        this.#flush = () => shard.flush()
        return shard
      },
    })
  }

  protected override _close(): Promise<void> {
    const { flushes, compactions } = this.statistics()
    counts.flushes += flushes
    counts.compactions += compactions
    return super._close()
  }

  protected override async _put(key: EncodedData, value: EncodedData, options: LevelWriteOptions): Promise<void> {
    await super._put(key, value, options)
    await this.#flush()
  }

  protected override async _del(key: EncodedData, options: LevelWriteOptions): Promise<void> {
    await super._del(key, options)
    await this.#flush()
  }

  protected override async _batch(operations: readonly BatchOperation[], options: LevelWriteOptions): Promise<void> {
    await super._batch(operations, options)
    await this.#flush()
  }
}

for (const [name, Level] of [
  ['default settings', VarveLevel],
  ['every write flushed to small tables', TinyLevel],
] as const) {
  test(`abstract-level's suite passes with ${name}`, { timeout: TIMEOUT_MS }, async (context) => {
    const root = mkdtempSync(join(existsSync(MEMORY_FILES) ? MEMORY_FILES : tmpdir(), 'varve-level-'))
    try {
      const { assertions, failures, skipped } = await runSuite(root, Level)
      context.diagnostic(`${assertions} assertions`)
      assert.equal(failures.length, 0, failures.slice(0, 20).join('\n'))
      assert.ok(assertions > ASSERTIONS_MIN, `only ${assertions} assertions ran`)
      assert.deepEqual(skipped, [], 'the suite skipped what the manifest promises')
      if (Level === TinyLevel) {
        assert.ok(counts.flushes > 400, `only ${counts.flushes} flushes`)
        assert.ok(counts.compactions > 20, `only ${counts.compactions} compactions`)
      }
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
}

interface Outcome {
  readonly assertions: number
  readonly failures: readonly string[]
  readonly skipped: readonly string[]
}

function runSuite(root: string, Level: new (location: string, options?: object) => VarveLevel): Promise<Outcome> {
  const harness = createHarness()
  const names = new Map<number, string>()
  const failures: string[] = []
  const skipped: string[] = []
  let assertions = 0
  let databases = 0
  const ran = new Promise<Outcome>((resolve) => {
    harness
      .createStream({ objectMode: true })
      .on('data', (row) => {
        if (typeof row === 'string') return
        if (row.type === 'test') {
          names.set(row.id ?? -1, row.name ?? '')
          if (row.skip !== undefined && row.skip !== false) skipped.push(row.name ?? '')
        }
        if (row.type !== 'assert') return
        assertions++
        if (row.ok !== true) failures.push(describe(names.get(row.test ?? -1) ?? 'no test', row))
      })
      .on('end', () => resolve({ assertions, failures, skipped }))
  })
  suite({
    test: harness,
    factory: (options) => new Level(join(root, String(++databases)), options),
  })
  return ran
}

function describe(testName: string, row: Row): string {
  const { name, operator, expected, actual, error } = row
  const shown = [expected, actual].map((value) => inspect(value, { depth: 3, breakLength: Infinity }))
  return `${testName}: ${name ?? ''} (${operator ?? ''}) expected ${shown[0]}, got ${shown[1]} ${error?.stack ?? ''}`
}
