/** The example of a cluster, as it is run by whoever reads of it. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('in the example of a cluster a host is killed, the other takes its shards over, and nothing is lost', () => {
  const program = fileURLToPath(new URL('../examples/cluster/main.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(execPath, [program, '--seconds', '1'], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /kill -9 of tcp:/)
  assert.match(stdout, /shard-\d: \d+ ms without a write/)
  assert.match(stdout, /; 0 lost/)
})
