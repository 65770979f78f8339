/** A file system that is soon full: a tmpfs in a mount namespace of its own, for a program that is run there. */

import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs `script` with `sh`, its `$0` being where the file system is.
 *
 * @param size as `mount` takes it
 * @param rest `$1` and what follows
 */
export function inNamespace(size: string, script: string, ...rest: readonly string[]): SpawnSyncReturns<string> {
  const place = mkdtempSync(join(tmpdir(), 'varve-full-disk-'))
  try {
    const mount = `mount -t tmpfs -o size=${size} varve-test "$0"`
    return spawnSync('unshare', ['-m', 'sh', '-c', `${mount} && ${script}`, place, ...rest], {
      encoding: 'utf8',
      timeout: 540_000,
    })
  } finally {
    rmdirSync(place)
  }
}

/** False: there may be one. Otherwise why there is none, to skip with. */
export function whyNoNamespace(): string | false {
  const { status, error, stderr } = inNamespace('1m', 'true')
  return status === 0 ? false : `no mount namespace of its own: ${error?.message ?? stderr.trim()}`
}
