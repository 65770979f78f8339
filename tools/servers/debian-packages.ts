/** Programs of Debian's packages: installed with apt-get where they are missing and that may be done. */

import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, getuid } from 'node:process'

const OPTIONS = [
  '-qq',
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Acquire::Retries=2',
  '-o',
  'Dpkg::Options::=--force-confold',
]
const INSTALL_MS = 240_000
// Another test may be installing something at the same time, and apt-get waits for some of its locks only.
const TURN = ['--timeout', '240', join(tmpdir(), 'varve-apt-get.lock'), 'apt-get']

/**
 * Why a program is not to be had; undefined: it is there.
 *
 * @param isThere looks for the program
 * @param packages that bring it, all of them
 */
export function whyNotInstalled(name: string, isThere: () => boolean, packages: readonly string[]): string | undefined {
  if (isThere()) return undefined
  if (getuid?.() !== 0) return `${name} is not installed, and only root may install it`
  aptGet('update')
  const reason = aptGet('install', '-y', '--no-install-recommends', ...packages)
  if (isThere()) return undefined
  return `${name} cannot be installed: ${reason ?? 'apt-get has installed it, and it does not run'}`
}

function aptGet(...parameters: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync('flock', [...TURN, ...OPTIONS, ...parameters], {
    encoding: 'utf8',
    timeout: 2 * INSTALL_MS,
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (error !== undefined) return `apt-get did not run: ${error.message}`
  if (status === 0) return undefined
  return `apt-get ${parameters[0]} ended with ${status}: ${stderr.trim().split('\n').at(-1) ?? ''}`
}
