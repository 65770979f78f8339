/** A process with few descriptors: the table cache gives some back, and a file that cannot be opened is never missing. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./few-descriptors/reads.js', import.meta.url))

const probe = spawnSync('prlimit', ['--version'])
const skip = probe.status === 0 ? false : 'prlimit is not there'

test('with 64 descriptors every key of 120 tables is found, and a scan of them all is OUT_OF_FILES', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-few-descriptors-'))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, directory], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), { files: 120, found: 240, scan: 'OUT_OF_FILES', after: true })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
