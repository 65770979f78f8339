/**
 * The package as a stranger gets it: packed, installed into an empty project, imported in every way package.json offers.
 *
 * Extra, because it installs dependencies.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { arch, execPath, platform } from 'node:process'
import { after, before, test } from 'node:test'
import { readManifest } from '../tools/repository.ts'
import { StrangersProject } from './strangers-project.ts'

const manifest = readManifest()
const specifiers = Object.keys(manifest.exports).map((subpath) => subpath.replace(/^\./, manifest.name))
const modules = specifiers.filter((specifier) => !specifier.endsWith('.json'))

/** What needs a package that is not installed with this one. */
const OPTIONAL: Readonly<Record<string, string>> = { 'varve/postgres': 'pg' }

let stranger: StrangersProject
let project: string

before(() => {
  stranger = new StrangersProject()
  project = stranger.path
})

after(() => stranger.remove())

/** What a stranger's workers are made of: `varve/testing/job-handlers` is not named, so workers import it. */
const STRANGERS_PARTS = `
import { SystemClock } from 'varve'
import { LocalFileStore, NodeDevice } from 'varve/fs'
export const openFiles = ({ root }, { hash }) => LocalFileStore.open({ device: new NodeDevice(root), directory: 'files', hash })
export const openClock = () => new SystemClock()
`

const STRANGERS_SUITE = `
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { WorkerScheduler } from 'varve/jobs'
import { loadHash } from 'varve/kernel'
import { testJobScheduler } from 'varve/testing'
import { openClock, openFiles } from './parts.mjs'

const module = new URL('./parts.mjs', import.meta.url).href
testJobScheduler({
  test,
  name: 'workers',
  isolated: true,
  async open(settings) {
    const root = mkdtempSync(join(tmpdir(), 'varve-stranger-'))
    const clock = openClock()
    const files = await openFiles({ root }, { hash: await loadHash() })
    const composition = {
      files: { module, export: 'openFiles', options: { root } },
      clock: { module, export: 'openClock' },
      handlers: {},
    }
    const scheduler = new WorkerScheduler({ composition, clock, settings })
    const close = async () => {
      await scheduler.close()
      await files.close()
      rmSync(root, { recursive: true })
    }
    return { scheduler, files, clock, close }
  },
})
`

test('no test, tool or build of tests is packed but what manuals show, and every entry point is', () => {
  const paths = stranger.packed.files.map(({ path }) => path)
  const strays = paths.filter((path) => /\.(?:test|extra)\.|^(?:build|test|tools|src|node_modules)\/|\.tgz$/.test(path))
  // The guide shows how an engine is tested, and the README links to what each code means.
  assert.deepEqual(strays, ['examples/custom-engine/test/conformance.test.ts', 'src/kernel/errors.ts'])
  for (const entry of Object.values(manifest.exports)) {
    for (const path of typeof entry === 'string' ? [entry] : [entry.types, entry.default]) {
      assert.ok(paths.includes(path.replace(/^\.\//, '')), `${path} is not packed`)
    }
  }
})

test('installing the package runs no script', () => {
  const installed = JSON.parse(readFileSync(join(project, 'node_modules', manifest.name, 'package.json'), 'utf8')) as {
    readonly scripts?: Readonly<Record<string, string>>
  }
  const scripts = Object.keys(installed.scripts ?? {}).filter((name) => /^(?:pre|post)?install$|^prepare$/.test(name))
  assert.deepEqual(scripts, [])
  assert.ok(
    !stranger.packed.files.some(({ path }) => path === 'binding.gyp'),
    'npm would build a binding.gyp in the root',
  )
})

test('the addon is packed where there is a C compiler, and loads for a stranger', (context) => {
  const addon = `dist/native/${platform}-${arch}.node`
  if (platform !== 'linux' || !['cc', 'gcc', 'clang'].some((name) => spawnSync(name, ['--version']).status === 0)) {
    context.skip('no C compiler, or not Linux')
    return
  }
  assert.ok(stranger.packed.files.some(({ path }) => path === addon))
  assert.ok(!stranger.packed.files.some(({ path }) => /\.[ch]$|^native\//.test(path)), 'no sources')
  const path = JSON.stringify(join(project, 'node_modules', manifest.name, addon))
  const child = stranger.node('--input-type=commonjs', '--eval', `require(${path}).takesNowait('.')`)
  assert.equal(child.status, 0, child.stderr)
})

test('every subpath can be imported, but for those whose optional package is missing, which they name', () => {
  for (const specifier of modules) {
    const missing = OPTIONAL[specifier]
    if (missing !== undefined) {
      const child = stranger.node('--input-type=module', '--eval', `import '${specifier}'`)
      assert.match(child.stderr, new RegExp(`Cannot find package '${missing}'`))
      continue
    }
    runModule(
      `import * as all from '${specifier}'; if (Object.keys(all).length === 0) throw new Error('exports nothing')`,
    )
  }
})

test('what two subpaths export by one name is one thing, and importing reads few files', () => {
  const present = modules.filter((specifier) => OPTIONAL[specifier] === undefined)
  runModule(`
    const firsts = new Map()
    for (const specifier of ${JSON.stringify(present)}) {
      for (const [name, value] of Object.entries(await import(specifier))) {
        if (typeof value !== 'function') continue
        const first = firsts.get(name) ?? firsts.set(name, { specifier, value }).get(name)
        if (first.value !== value) throw new Error(name + ' of ' + specifier + ' is not that of ' + first.specifier)
      }
    }
    if (firsts.size < 100) throw new Error('exports little')
  `)
  // One by one, three hundred modules take a process 0.2 s.
  const files = stranger.packed.files.filter(({ path }) => path.endsWith('.js'))
  assert.ok(files.length < 100, `${files.length} files of code`)
})

test('every subpath can be required', () => {
  for (const specifier of specifiers.filter((each) => OPTIONAL[each] === undefined)) {
    const child = stranger.node('--input-type=commonjs', '--eval', `require('${specifier}')`)
    assert.equal(child.status, 0, `require('${specifier}'):\n${child.stderr}`)
  }
})

test('what is not exported cannot be reached', () => {
  const child = stranger.node('--input-type=module', '--eval', `await import('${manifest.name}/dist/index.js')`)
  assert.match(child.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
})

test("the declarations of every subpath compile in a stranger's strict project", () => {
  const lines = modules.map((specifier, index) => `export * as m${index} from '${specifier}'`)
  writeFileSync(join(project, 'index.ts'), `${lines.join('\n')}\n`)
  // Declarations are what is being tested, ours and those they lead to.
  const options = { lib: ['es2023', 'esnext.disposable'], noEmit: true, skipLibCheck: false }
  assert.equal(stranger.compile(project, ['index.ts'], options), '')
})

test("the example engine compiles and runs in a stranger's project, its jobs in workers of the package", () => {
  const source = join(project, 'page-views')
  cpSync(join(project, 'node_modules', manifest.name, 'examples/custom-engine'), source, { recursive: true })
  const options = {
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
  }
  assert.equal(stranger.compile(source, ['main.ts'], options), '')
  const child = stranger.node(join(source, 'main.js'), join(stranger.scratch, 'page-views-data'))
  assert.equal(child.status, 0, child.stderr)
})

test("a stranger's project runs the conformance suite of schedulers, its handlers in workers of the package", () => {
  writeFileSync(join(project, 'parts.mjs'), STRANGERS_PARTS)
  writeFileSync(join(project, 'scheduler.test.mjs'), STRANGERS_SUITE)
  const child = spawnSync(execPath, ['--test', '--test-reporter=tap', 'scheduler.test.mjs'], {
    cwd: project,
    encoding: 'utf8',
    // Otherwise it takes itself for a part of this run, and says nothing of its own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  assert.equal(child.status, 0, child.stdout + child.stderr)
  assert.ok(Number(/^# pass (\d+)$/m.exec(child.stdout)?.[1]) > 20, child.stdout)
})

test('the command is installed and says what it can do', () => {
  for (const name of Object.keys(manifest.bin)) {
    const child = spawnSync(join(project, 'node_modules/.bin', name), ['--help'], { cwd: project, encoding: 'utf8' })
    assert.equal(child.status, 0, child.stderr)
    assert.match(child.stdout, /usage/i)
  }
})

function runModule(text: string): void {
  const child = stranger.node('--input-type=module', '--eval', text)
  assert.equal(child.status, 0, `${text}\n${child.stderr}`)
}
