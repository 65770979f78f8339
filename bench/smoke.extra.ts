/** `npm run bench -- smoke`, as someone with a fresh clone would call it. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Row } from './report/row.ts'

/** This module runs from `build/bench/`. */
const START = fileURLToPath(new URL('../../bench/start.mjs', import.meta.url))

test('every workload of the smoke run gives the same results with every peer that can be installed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-bench-smoke-'))
  try {
    const out = join(directory, 'rows.jsonl')
    const { status, stdout, stderr } = spawnSync(
      execPath,
      [START, 'smoke', '--out', out, '--directory', join(directory, 'data')],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr.slice(-2000))
    assert.match(stdout, /^\d+ results of \d+ peers checked, every byte: .*\bvarve,/m)
    const rows = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
    const checked = rows.filter(({ digest }) => digest !== '')
    assert.ok(checked.filter(({ peer }) => peer === 'varve').length > 25, 'varve ran hardly any workload')
    assert.ok(checked.every(({ operations }) => operations > 0))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
