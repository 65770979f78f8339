/**
 * The addon, where it has been built: its own tests, the suites over it, the whole-system tests that write to a disk with it, and all of that
 * again where the kernel refuses what it is made of.
 *
 * Extra, because it needs a C compiler. `npm test` skips what needs the addon where there is none.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execPath } from 'node:process'
import { after, test } from 'node:test'
import { loadNative } from '../../src/native/load-native.ts'
import { ROOT } from '../../tools/repository.ts'
import { testWithAddon } from './addon-test.ts'

const scratch = fs.mkdtempSync(path.join(tmpdir(), 'varve-native-extra-'))
const launcher = path.join(scratch, 'refuse-calls')
const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
after(() => fs.rmSync(scratch, { recursive: true }))

test('where there is a C compiler the addon has been built, and loads', (context) => {
  if (compiler === undefined || process.platform !== 'linux') {
    context.skip('no C compiler, or not Linux')
    return
  }
  assert.ok(loadNative() !== undefined, 'npm run build:native has not run, or what it made does not load')
})

testWithAddon('the addon asks for nothing newer than glibc 2.17', {}, async (context) => {
  const binary = path.join(ROOT, 'dist/native', `${process.platform}-${process.arch}.node`)
  const { status, stdout } = spawnSync('objdump', ['-T', binary], { encoding: 'utf8' })
  if (status !== 0 || process.arch !== 'x64') {
    context.skip('no objdump, or a machine whose C library is not that old')
    return
  }
  const versions = [...stdout.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor))
  assert.ok(versions.length > 0, stdout)
  assert.ok(Math.max(...versions) <= 17, `glibc 2.${Math.max(...versions)}`)
})

// What reaches the disk through it: all of `npm test` again would take as long as all of `npm test`.
const OVER_THE_ADDON = [
  'native/',
  'kv-engine',
  'journal/',
  'level/',
  'damage',
  'clone',
  'synced',
  'kill.test',
  'main-job',
]

testWithAddon('its own tests and those that write to a disk pass with the addon', {}, async () => {
  const filters = OVER_THE_ADDON.map((name) => `test/${name}`)
  const run = spawnSync(execPath, [path.join(ROOT, 'build/tools/run-tests.js'), ...filters], {
    encoding: 'utf8',
    env: environment(),
    maxBuffer: 1 << 28,
  })
  assert.equal(run.status, 0, failures(run.stdout))
})

testWithAddon('where the kernel refuses, Node does the work: the same suites pass', {}, async (context) => {
  if (compiler === undefined) {
    context.skip('no C compiler')
    return
  }
  const source = path.join(ROOT, 'test/native/refuse-calls.c')
  assert.equal(spawnSync(compiler, ['-o', launcher, source], { stdio: 'inherit' }).status, 0)
  const answers = refused(
    '-e',
    `
    const addon = require(${JSON.stringify(path.join(ROOT, 'dist/native', `${process.platform}-${process.arch}.node`))})
    console.log(addon.openQueue(1, new Int32Array(2), () => {}), addon.takesNowait('.'), addon.lockFile(0, false))`,
  )
  assert.equal(answers.stdout, '-1 0 -1\n', answers.stderr)
  for (const name of ['native-conformance', 'native-reads', 'native-queue', 'native-lock']) {
    const run = refused('--test', path.join(ROOT, 'build/test/native', `${name}.test.js`))
    assert.equal(run.status, 0, failures(run.stdout))
  }
})

function refused(...parameters: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(launcher, [execPath, ...parameters], { encoding: 'utf8', env: environment(), maxBuffer: 1 << 28 })
}

/** Without what the test runner tells its own children. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env
  return rest
}

function failures(output: string): string {
  const lines = output.split('\n').filter((line) => /not ok|\u2716|failed|Error/.test(line))
  return lines.slice(0, 100).join('\n')
}
