/** A write that is held back keeps the process while somebody may wait for it, and no longer. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('./process.js', import.meta.url))
const run = promisify(execFile)

// Timers of the shard were all the process had left, and none of them kept it: it ended with exit code 13.
test('a program that awaits a write which a failed flush holds back gets its answer, and ends by itself', async () => {
  const { stdout } = await run(process.execPath, [program], { timeout: 120_000 })
  assert.equal(stdout, 'written\n')
})
