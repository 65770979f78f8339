/**
 * `npm run bench -- …`: sets up what is missing, then runs the harness.
 *
 * The peers are installed into this folder, varve is built as it is packed, with the addon where it can be, and the
 * harness is compiled with varve's own compiler.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { argv, execPath, exit } from 'node:process'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

/** What a folder's lock file says, against what is installed there. */
function installed(folder) {
  const hidden = `${folder}/node_modules/.package-lock.json`
  if (!existsSync(hidden)) return false
  const wanted = JSON.parse(readFileSync(`${folder}/package-lock.json`, 'utf8')).packages
  const found = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (found[path] === undefined ? optional === true : found[path].version === version),
  )
}

function run(command, args, folder) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: ['ignore', 2, 2] })
  if (error !== undefined) throw error
  if (status !== 0) exit(status ?? 1)
}

/** A peer that cannot be installed is left out of the tables; varve can be measured without any. */
function installPeers() {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: ['ignore', 2, 2] })
  if (status !== 0) console.error('npm ci failed: measuring the peers that are there')
}

if (!installed(root)) run('npm', ['ci'], root)
if (!installed(here)) installPeers()
run('npm', ['run', '--silent', 'build'], root)
run('npm', ['run', '--silent', 'build:native', '--', '--if-possible'], root)
run(execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.json'], here)

const [first, ...rest] = argv.slice(2)
// Their own command lines: the rest is that of the harness.
const OTHERS = ['corruption', 'remote']
const command = OTHERS.includes(first) ? [`${first}/main.js`, ...rest] : ['main.js', ...argv.slice(2)]
const { status } = spawnSync(execPath, [`${here}build/${command[0]}`, ...command.slice(1)], { stdio: 'inherit' })
exit(status ?? 1)
