/** The measurements of parts elsewhere run, and a former owner is fenced in every takeover. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('every measurement of parts elsewhere gives figures', () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-bench-remote-'))
  try {
    // As it is compiled with the tests: whatever sets the harness up would build anew what they run on.
    const program = fileURLToPath(new URL('../bench/remote/main.js', import.meta.url))
    const out = join(directory, 'remote.json')
    const lengths = ['--seconds', '0.2', '--compaction-seconds', '0.2', '--rounds', '1']
    const sizes = [...lengths, '--mib', '4', '--tail-mib', '1', '--out', out]
    const { status, stderr } = spawnSync(execPath, [program, ...sizes], { encoding: 'utf8', timeout: 240_000 })
    assert.equal(status, 0, stderr.slice(-2000))
    const results = JSON.parse(readFileSync(out, 'utf8')) as Record<string, Record<string, unknown>[]>
    const { appends = [], compaction = [], takeover = [] } = results
    assert.deepEqual([appends.length, compaction.length, takeover.length], [16, 11, 2])
    // Of a put that waited for a busy disk there is less than one a second.
    for (const row of appends) assert.ok(Number(row['p50 ms']) > 0, JSON.stringify(row))
    for (const row of compaction) assert.ok((row['puts/s'] as number) > 0, JSON.stringify(row))
    for (const row of takeover) assert.equal(row['former owner'], 'fenced')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
