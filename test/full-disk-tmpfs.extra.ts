/**
 * A full disk, for real: a small tmpfs in a mount namespace of its own, filled and cleared again and again, with worker
 * threads and everything else of the default composition.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const MOUNT = 'mount -t tmpfs -o size=96m varve-test "$0"'
const program = fileURLToPath(new URL('./full-disk/fill-and-clear.js', import.meta.url))

function inNamespace(script: string, ...rest: readonly string[]): ReturnType<typeof spawnSync> {
  const place = mkdtempSync(join(tmpdir(), 'varve-full-disk-'))
  try {
    return spawnSync('unshare', ['-m', 'sh', '-c', `${MOUNT} && ${script}`, place, ...rest], {
      encoding: 'utf8',
      timeout: 540_000,
    })
  } finally {
    rmdirSync(place)
  }
}

const probe = inNamespace('true')
const reason = probe.error?.message ?? String(probe.stderr).trim()
const skip = probe.status === 0 ? false : `no mount namespace of its own: ${reason}`

test(
  'a tmpfs that is filled and cleared twenty times takes writes again each time, and holds what it should',
  { skip },
  () => {
    const { status, stdout, stderr } = inNamespace('exec "$1" "$2" "$0"', process.execPath, program)
    assert.equal(status, 0, `${String(stdout)}\n${String(stderr)}`)
    assert.match(String(stdout), /20 rounds/)
  },
)
