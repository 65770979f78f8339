/** Without addons: `lz4-napi` is one, and does not load where Node may load none or where it was installed for another platform. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from '../src/local.ts'

const PROGRAM = fileURLToPath(new URL('./no-addons/database.js', import.meta.url))

// Reads were told TABLE_CORRUPT, repair called every block lost, and whoever wrote heard of it when a flush had failed.
test('where LZ4 does not load, compressed blocks are not damaged, repair gives none of them up, and who would write them is told on opening', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'varve-no-addons-'))
  const directory = join(parent, 'database')
  try {
    const db = await open(directory, { jobs: 'inline' })
    for (let index = 0; index < 1000; index++) await db.put(Buffer.from(`key ${index}`), Buffer.alloc(100))
    await db.flush()
    await db.close()

    const { stdout, stderr } = spawnSync(process.execPath, ['--no-addons', PROGRAM, directory], { encoding: 'utf8' })
    assert.equal(stderr, '')
    const { repaired, made, flush, flushPlain, ...refused } = JSON.parse(stdout) as Record<string, string>
    for (const [call, answer] of Object.entries(refused))
      assert.match(answer, /^UNSUPPORTED: lz4-napi does not load here.*compression: 'none'$/, call)
    assert.equal(repaired, 'false')
    assert.equal(made, 'false')
    assert.match(flush ?? '', /^JOB_FAILED: .*lz4-napi does not load here/)
    assert.equal(flushPlain, 'nothing')

    const again = await open(directory, { jobs: 'inline' })
    for await (const { damage } of again.verify()) assert.equal(damage, undefined)
    assert.equal((await again.get(Buffer.from('more')))?.length, 1000)
    await again.close()
  } finally {
    rmSync(parent, { recursive: true })
  }
})
