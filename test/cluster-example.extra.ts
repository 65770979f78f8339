/** The example of a cluster, as it is run by whoever reads of it. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

// Hosts kept shards that took no more writes, once the journal service had been started anew.
test('in the example of a cluster a host and the journal service are killed, writes go on, and nothing is lost', () => {
  const program = fileURLToPath(new URL('../examples/cluster/main.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(execPath, [program, '--seconds', '1'], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /kill -9 of tcp:/)
  assert.match(stdout, /shard-\d: \d+ ms without a write/)
  assert.match(stdout, /kill -9 of the journal service/)
  assert.equal(
    [...stdout.matchAll(/shard-\d: \d+ ms without a write/g)].length,
    6,
    'two that moved, and all four after that',
  )
  assert.match(stdout, /; 0 lost/)
})
