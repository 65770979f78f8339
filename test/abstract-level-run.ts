/**
 * One run of abstract-level's own conformance suite.
 *
 * The suite is written for tape. Its harness runs here inside of tests, which hold the number of assertions against
 * what a whole run has: a suite that stopped half-way, or that ran nothing, is a failure too.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { AbstractLevel } from 'abstract-level'
import suite from 'abstract-level/test/index.js'
import { createHarness } from 'tape'
import type { Row, TapeTest } from 'tape'

// It asks what a database answers, not what survives: a thousand databases in memory are four times as fast as on a disk.
const MEMORY_FILES = '/dev/shm'

/** A run of it takes seconds on a quiet machine. */
export const SUITE_TIMEOUT_MS = 5 * 60_000

/** Of a whole run of abstract-level 3.1.1's suite, for the manifest of VarveLevel. */
export const ASSERTIONS = 5168
/** Without `getSync` in the manifest, the suite leaves out these. */
export const GET_SYNC_ASSERTIONS = 460

type Database = AbstractLevel<string | Buffer | Uint8Array>
type Create = (location: string, options?: object) => Database

interface Outcome {
  readonly assertions: number
  readonly failures: readonly string[]
  readonly skipped: readonly string[]
}

/**
 * Runs the suite and checks that nothing in it failed. Returns how many assertions ran, to be held against ASSERTIONS.
 *
 * @param create makes a database; it is asked for about a thousand, each in a directory that does not exist yet
 */
export async function passSuite(create: Create): Promise<number> {
  const root = mkdtempSync(join(existsSync(MEMORY_FILES) ? MEMORY_FILES : tmpdir(), 'varve-level-'))
  try {
    const { assertions, failures, skipped } = await runSuite(root, create)
    assert.equal(failures.length, 0, failures.slice(0, 20).join('\n'))
    assert.deepEqual(skipped, [], 'the suite skipped what the manifest promises')
    return assertions
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function runSuite(root: string, create: Create): Promise<Outcome> {
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
    test: Object.assign((...given: readonly unknown[]) => harness(...given.map(withQuickSame)), harness),
    factory: (options) => create(join(root, String(++databases)), options),
  })
  return ran
}

/**
 * tape compares slowly, which is half of what the suite costs. What Node finds equal, tape does too, being no stricter;
 * what differs is left to tape to compare and to tell.
 */
function withQuickSame(given: unknown): unknown {
  if (typeof given !== 'function') return given
  return (t: TapeTest): unknown => {
    const slow = t.same.bind(t)
    t.same = (actual, expected, ...rest) =>
      isDeepStrictEqual(actual, expected) ? t.ok(true, ...rest) : slow(actual, expected, ...rest)
    return (given as (t: TapeTest) => unknown)(t)
  }
}

function describe(testName: string, row: Row): string {
  const { name, operator, expected, actual, error } = row
  const shown = [expected, actual].map((value) => inspect(value, { depth: 3, breakLength: Infinity }))
  return `${testName}: ${name ?? ''} (${operator ?? ''}) expected ${shown[0]}, got ${shown[1]} ${error?.stack ?? ''}`
}
