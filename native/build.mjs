/**
 * `npm run build:native [-- --if-possible]`: compiles the addon with whatever C compiler there is.
 *
 * Writes `dist/native/<platform>-<architecture>.node`, and the same into `build/src/native/` for tests. Plain
 * JavaScript, so that it runs from a fresh clone. With `--if-possible`, a machine that cannot build it says so and goes
 * on: varve works without. Nothing stale stays: a failed build leaves no addon at all.
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arch, argv, env, exit, platform } from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const name = `${platform}-${arch}.node`
const targets = ['dist/native', 'build/src/native'].map((folder) => join(root, folder, name))
const COMPILERS = env.CC === undefined ? [['cc'], ['gcc'], ['clang'], ['g++', '-x', 'c']] : [[env.CC]]

for (const target of targets) rmSync(target, { force: true })
const problem = platform === 'linux' ? compile() : `it is made for Linux, this is ${platform}`
if (problem === undefined) console.log(`native addon: ${targets[0]}`)
else {
  console.error(`native addon not built: ${problem}`)
  if (argv.includes('--if-possible')) console.error('varve works without it, through the calls Node has')
  else exit(1)
}

/** @returns {string | undefined} why not */
function compile() {
  const compiler = COMPILERS.find(([command]) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0)
  if (compiler === undefined) return `no C compiler (${COMPILERS.map(([command]) => command).join(', ')})`
  const [command, ...language] = compiler
  const { include_dir: include } = createRequire(import.meta.url)('node-api-headers')
  const sources = readdirSync(join(root, 'native')).filter((file) => file.endsWith('.c'))
  const [target, copy] = targets
  for (const path of targets) mkdirSync(dirname(path), { recursive: true })
  const flags = ['-std=gnu11', '-O2', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror=implicit']
  const inputs = sources.map((file) => join(root, 'native', file))
  const parameters = [...language, ...flags, '-shared', '-s', '-I', include, '-o', target, ...inputs, '-pthread']
  const { status } = spawnSync(command, parameters, { stdio: 'inherit' })
  if (status !== 0) return `${command} failed`
  copyFileSync(target, copy)
  return undefined
}
