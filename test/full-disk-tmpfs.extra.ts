/**
 * A full disk, for real: a small tmpfs in a mount namespace of its own, filled and cleared again and again, with worker
 * threads and everything else of the default composition.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inNamespace, whyNoNamespace } from './full-disk/small-file-system.ts'

const fillAndClear = fileURLToPath(new URL('./full-disk/fill-and-clear.js', import.meta.url))
const fillJournals = fileURLToPath(new URL('./full-disk/fill-journals.js', import.meta.url))

const skip = whyNoNamespace()

test(
  'a tmpfs that is filled and cleared twenty times takes writes again each time, and holds what it should',
  { skip },
  () => {
    const { status, stdout, stderr } = inNamespace('96m', 'exec "$1" "$2" "$0"', process.execPath, fillAndClear)
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    assert.match(stdout, /20 rounds/)
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
      assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`)
      assert.match(run.stdout, /12 rounds/)
    },
  )
}
