import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exitCodeOf, findTests, summaryLine } from './test-runner.ts'

const scratch = mkdtempSync(join(tmpdir(), 'varve-test-runner-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs the given files in a new process, as `npm test` does, and returns the counts it prints. */
function countsOf(files: Readonly<Record<string, string>>): unknown {
  const folder = mkdtempSync(join(scratch, 'run-'))
  const paths = Object.entries(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  })
  const runner = new URL('./test-runner.js', import.meta.url).href
  const script = `
    import { runTests } from ${JSON.stringify(runner)}
    const counts = await runTests(${JSON.stringify(paths)}, { concurrency: 2, fileTimeoutMs: 120_000 })
    console.log('\\n' + JSON.stringify(counts))`
  // A file, not --eval: node:test hands the flags of this process on to the ones it starts.
  const entry = join(folder, 'run.mjs')
  writeFileSync(entry, script)
  // Without the variable that tells node:test that it is inside a test, or the inner run would do nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawnSync(process.execPath, [entry], { env, encoding: 'utf8' })
  assert.equal(child.status, 0, child.stderr)
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '')
}

test('tests are counted once each, suites not at all', () => {
  const text = `
    import { describe, test } from 'node:test'
    test('one', () => {})
    describe('suite', () => { test('two', () => {}); test('three', { skip: 'why' }, () => {}) })
    test('four', () => { throw new Error('expected to fail') })`
  assert.deepEqual(countsOf({ 'a.test.mjs': text }), { passed: 2, failed: 1, skipped: 1 })
})

test('a file that defines no test, or that cannot be loaded, counts as failed', () => {
  assert.deepEqual(countsOf({ 'a.test.mjs': 'export {}', 'b.test.mjs': 'throw new Error("load")' }), {
    passed: 0,
    failed: 2,
    skipped: 0,
  })
})

test('a run in which nothing passed or something failed exits with 1', () => {
  assert.equal(exitCodeOf({ passed: 3, failed: 0, skipped: 0 }), 0)
  assert.equal(exitCodeOf({ passed: 3, failed: 1, skipped: 0 }), 1)
  assert.equal(exitCodeOf({ passed: 0, failed: 0, skipped: 0 }), 1)
  assert.equal(exitCodeOf({ passed: 0, failed: 0, skipped: 4 }), 1)
})

test('the summary names skipped tests only where there are some', () => {
  assert.equal(summaryLine({ passed: 3, failed: 1, skipped: 0 }), '3 passed, 1 failed')
  assert.equal(summaryLine({ passed: 3, failed: 0, skipped: 2 }), '3 passed, 0 failed, 2 skipped')
})

test('a compiled test whose source is gone is not found, and filters keep matching paths', () => {
  const build = join(scratch, 'build')
  mkdirSync(join(build, 'tools'), { recursive: true })
  for (const name of ['test-runner.test.js', 'layers.test.js', 'gone.test.js'])
    writeFileSync(join(build, 'tools', name), '')
  const found = (...filters: string[]): readonly string[] => findTests({ suffix: '.test.js', filters }, build)
  assert.deepEqual(found(), [join(build, 'tools/layers.test.js'), join(build, 'tools/test-runner.test.js')])
  assert.deepEqual(found('layers'), [join(build, 'tools/layers.test.js')])
  assert.deepEqual(found('nothing'), [])
  assert.deepEqual(findTests({ suffix: '.test.js', filters: [] }, join(scratch, 'absent')), [])
})
