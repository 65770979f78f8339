/** A process with few descriptors: the table cache gives some back, and a file that cannot be opened is never missing. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const READS = new URL('./few-descriptors/reads.js', import.meta.url)
const CHECKPOINTS = new URL('./few-descriptors/checkpoints.js', import.meta.url)
const SEGMENTS = new URL('./few-descriptors/segments.js', import.meta.url)

function run(program: URL): unknown {
  const directory = mkdtempSync(join(tmpdir(), 'varve-few-descriptors-'))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(program), directory], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const probe = spawnSync('prlimit', ['--version'])
const skip = probe.status === 0 ? false : 'prlimit is not there'

test('with 64 descriptors every key of 120 tables is found, and a scan of them all is OUT_OF_FILES', { skip }, () => {
  assert.deepEqual(run(READS), { files: 120, found: 240, scan: 'OUT_OF_FILES', after: true })
})

test(
  'a journal that begins segments with 0 to 5 descriptors left ends with none of them, and keeps what it acknowledged',
  { skip },
  () => {
    for (const { spare, refused, acknowledged, after, found } of run(SEGMENTS) as readonly Readonly<
      Record<string, number>
    >[]) {
      assert.equal(after, 1, `with ${spare} the journal does not go on`)
      assert.equal(found, (acknowledged as number) + 1, `with ${spare}`)
      assert.ok((spare as number) >= 3 || (refused as number) > 0, `with ${spare} nothing was lacking`)
    }
  },
)

test('a checkpoint with 0 to 9 descriptors left is whole or OUT_OF_FILES, which leaves nothing', { skip }, () => {
  const { refused, made, left } = run(CHECKPOINTS) as Readonly<Record<string, number>>
  assert.deepEqual(left, [])
  assert.ok((refused as number) > 0 && (made as number) > 0, `${refused} refused, ${made} made`)
})
