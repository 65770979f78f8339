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

const fillAndClear = fileURLToPath(new URL('./full-disk/fill-and-clear.js', import.meta.url))
const fillJournals = fileURLToPath(new URL('./full-disk/fill-journals.js', import.meta.url))

function inNamespace(size: string, script: string, ...rest: readonly string[]): ReturnType<typeof spawnSync> {
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

const probe = inNamespace('1m', 'true')
const reason = probe.error?.message ?? String(probe.stderr).trim()
const skip = probe.status === 0 ? false : `no mount namespace of its own: ${reason}`

test(
  'a tmpfs that is filled and cleared twenty times takes writes again each time, and holds what it should',
  { skip },
  () => {
    const { status, stdout, stderr } = inNamespace('96m', 'exec "$1" "$2" "$0"', process.execPath, fillAndClear)
    assert.equal(status, 0, `${String(stdout)}\n${String(stderr)}`)
    assert.match(String(stdout), /20 rounds/)
  },
)

for (const [kind, words] of [
  ['one log for all shards', []],
  ['a log for each shard', ['--per-shard']],
] as const) {
  test(
    `a tmpfs of 24 MiB that a journal service fills takes writes again by itself, also after a kill: ${kind}`,
    { skip },
    () => {
      const script = 'exec "$1" "$2" "$0" $3'
      const run = inNamespace('24m', script, process.execPath, fillJournals, ...words)
      assert.equal(run.status, 0, `${String(run.stdout)}\n${String(run.stderr)}`)
      assert.match(String(run.stdout), /12 rounds/)
    },
  )
}
