/**
 * Every error class is made, and every recovery branch is taken, by the seeds and the tests that are named here, or it says
 * below why not. What none of them reaches shows that they do not test what they should, and fails.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { after, test } from 'node:test'
import { ERROR_KINDS } from '../../src/kernel/errors.ts'
import { ROOT } from '../repository.ts'
import { branchCoverage, describeGroup, percent } from '../branches/branch-coverage.ts'
import { executionCounts } from './execution-counts.ts'
import { placesIn, placesOf } from './places.ts'
import { UNREACHED } from './unreached.ts'

const FOLDERS = ['journal', 'shard', 'fs', 'jobs', 'sst', 'engines/kv']
/** Whose tests run, too, for the branches that they take. */
const MORE = ['kernel', 'memtable', 'shard/policy']
const SEEDS = 40
/** Those that try parts of a thing over and over reach nothing that the others do not. */
const SLOW = /^(?:row-corruption|row-model|crash-states|.*-crash|.*-bench)\.test\.js$/
const WHOLE = [
  'aborted-waits',
  'clone',
  'follower',
  'arrangement/arrangement',
  'arrangement/kept-files',
  'arrangement/steps',
  'arrangement/two-places',
  'encryption',
  'kv-verify',
  'opening-messages',
  'full-disk',
  'full-disk-reserve',
  'full-journal',
  'replaced-owner',
  'read-now',
  'checkpoint-links',
  'damage',
  'interleavings/takeover',
  'faults/error-loop',
  'jobs/worker-pool',
  'jobs/worker-scheduler',
  'jobs/wrong-tables',
  'jobs/inline-scheduler',
  'jobs/standard-handlers',
  'journal/local-journal',
  'journal/local-journal-damage',
  'journal/closed-journal',
  'journal/renewed-journal',
  'journal/journal-leftovers',
  'journal/few-descriptors',
  'journal/full-journal-disk',
  'journal/quiet-shard',
  'journal/recovery-edges',
  'opening-edges',
  'newer-versions',
  'reused-buffers',
  'lost-journal',
  'kv-arguments',
  'kv-misspelt',
  'no-addons',
  'fuzz/hostile-stores',
  'kv-key-columns',
  'kv-fifo',
  'level/varve-level',
  'level/level-iterators',
  'level/level-maintenance',
].map((name) => `build/test/${name}.test.js`)

/** In percent, by the name of the group. What is missing has its reasons in docs/reliability.md. */
const BRANCHES_MIN: Readonly<Record<string, number>> = {
  codecs: 98,
  recovery: 98,
  fencing: 98,
  manifest: 99,
  'the rest of the engine': 92,
}

const scratch = mkdtempSync(join(tmpdir(), 'varve-sometimes-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

test('a place is a catch or a throw of an error with a code, and is named by where it is', () => {
  const text =
    'function f() { try { g() } catch (e) { h() }\n if (e) throw new VarveError("X"); throw new VarveError(\'BUSY\', "") }'
  const places = placesOf('a.js', text)
  assert.deepEqual(
    places.map(({ id }) => id),
    ['a.js catch in f', 'a.js throw BUSY in f'],
  )
  assert.equal(text.slice(places[0]?.offset, (places[0]?.offset ?? 0) + 4), ' h()')
})

test('every error class is made, and every recovery branch is taken, sometimes', async (context) => {
  const files = [...FOLDERS, ...MORE].flatMap((folder) =>
    readdirSync(join(ROOT, 'build/src', folder))
      .filter((name) => name.endsWith('.test.js') && !SLOW.test(name))
      .map((name) => `build/src/${folder}/${name}`),
  )
  for (const name of WHOLE) assert.ok(existsSync(join(ROOT, name)), `there is no ${name}`)
  // Tests that fail are reported where they are run for their own sake.
  await Promise.all([
    run(['build/test/seeds/run-seeds.js', JSON.stringify({ first: 1, count: SEEDS })]),
    run(['--test', '--test-concurrency=2', ...files, ...WHOLE]),
  ])

  const errors = errorCounts()
  const places = placesIn(FOLDERS)
  const found = executionCounts(join(scratch, 'coverage'), places)
  const branches = new Map(places.map(({ id }, index) => [id, found[index] ?? 0]))
  for (const [code, count] of errors) context.diagnostic(`${count} ${code}`)
  for (const [id, count] of branches) context.diagnostic(`${count} ${id}`)
  const never = [...errors, ...branches].filter(([id, count]) => count === 0 && !UNREACHED.has(id)).map(([id]) => id)
  assert.deepEqual(never, [], 'never reached')
  assert.deepEqual(
    [...UNREACHED.keys()].filter((id) => !branches.has(id) && !errors.has(id)),
    [],
    'named, and not there any more',
  )
})

test('of the branches of codecs and manifest all are taken that can be, of recovery and fencing all but one in fifty, of the rest nine in ten', (context) => {
  const poor: string[] = []
  const { groups, wrong } = branchCoverage(join(scratch, 'coverage'))
  assert.deepEqual(wrong, [], 'tools/branches/untakeable.ts')
  for (const group of groups) {
    const floor = BRANCHES_MIN[group.name]
    if (floor === undefined) continue
    context.diagnostic(describeGroup(group))
    for (const branch of group.untaken) context.diagnostic(`  not: ${branch}`)
    if (percent(group.taken, group.of) < floor) poor.push(`${describeGroup(group)}, at least ${floor} % are asked for`)
  }
  assert.deepEqual(poor, [])
})

async function run(parameters: readonly string[]): Promise<void> {
  const child = spawn(execPath, parameters, {
    cwd: ROOT,
    stdio: 'ignore',
    env: {
      ...env,
      NODE_OPTIONS: `--import ${new URL('./count-errors.js', import.meta.url).href}`,
      NODE_V8_COVERAGE: join(scratch, 'coverage'),
      VARVE_ERROR_COUNTS: join(scratch, 'errors'),
      // Of a test within a test Node would want another way of reporting.
      NODE_TEST_CONTEXT: undefined,
    },
  })
  await once(child, 'close')
}

function errorCounts(): ReadonlyMap<string, number> {
  const counts = new Map(Object.keys(ERROR_KINDS).map((code) => [code, 0]))
  for (const name of readdirSync(join(scratch, 'errors'))) {
    const found = JSON.parse(readFileSync(join(scratch, 'errors', name), 'utf8')) as Readonly<Record<string, number>>
    for (const [code, count] of Object.entries(found)) counts.set(code, (counts.get(code) ?? 0) + count)
  }
  return counts
}
