/** Paths and names of shards as long as they may be: what opens can also be written, flushed and compacted. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { shardId } from '../src/kernel/ids.ts'
import { LIMITS } from '../src/kernel/limits.ts'
import { localComponents } from '../src/local-components.ts'
import { KV_HANDLERS, open } from '../src/local.ts'

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'varve-long-')))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

// 4,095 of Linux, less `/files/`, 128 for the name of a file, and `.UNFINISHED`.
const PATH_BYTES = 4095 - 7 - 128 - 11

/** A directory below the scratch one whose path has so many bytes. */
function pathOf(bytes: number): string {
  let directory = scratch
  for (let left = bytes - directory.length; left > 0; left = bytes - directory.length) {
    // No piece may have one byte only: that would be the slash.
    const piece = left > 202 ? 200 : left - 1
    directory += `/${'d'.repeat(piece)}`
  }
  assert.equal(directory.length, bytes)
  return directory
}

const longPaths = { skip: process.platform === 'linux' ? false : 'other systems take other paths' }

test('a path that leaves no room for the names of files is refused, and nothing is made', longPaths, async () => {
  for (const bytes of [PATH_BYTES + 1, 4045, 4060, 4095, 5000]) {
    await assert.rejects(open(pathOf(bytes)), {
      code: 'LIMIT_EXCEEDED',
      message: /^the path of a database has at most 3949 bytes/,
      details: { what: 'path of a database', size: bytes, limit: PATH_BYTES },
    })
  }
  assert.deepEqual(fs.readdirSync(scratch), [])
})

test(
  'in a path as long as may be, a shard of a name as long as may be is written, flushed and compacted',
  longPaths,
  async () => {
    const directory = pathOf(PATH_BYTES)
    const shard = shardId('s'.repeat(LIMITS.shardNameLengthMax))
    const components = await localComponents(directory, { jobs: 'inline', handlers: KV_HANDLERS })
    const db = await openKv({ ...components, shard })
    for (const value of ['first', 'second']) {
      await db.put(Buffer.from('key'), Buffer.from(value))
      await db.flush()
    }
    await db.compactRange({})
    await db.close()
    const again = await openKv({ ...(await localComponents(directory, { handlers: KV_HANDLERS })), shard })
    await again.put(Buffer.from('key'), Buffer.from('third'))
    await again.flush()
    assert.equal(String(await again.get(Buffer.from('key'))), 'third')
    await again.close()
  },
)

// It opened, and no flush ever succeeded: the names of its files were longer than a name may be.
test('a name of a shard that leaves no room for the names of its files is refused', () => {
  const tooLong = 's'.repeat(LIMITS.shardNameLengthMax + 1)
  assert.throws(() => shardId(tooLong), { code: 'LIMIT_EXCEEDED' })
  // The longest that a database may need for years: its epoch, owner, job, tries and output, each with many digits.
  const ending = '.e1234567890-0123abcd-j1234567890-a123-r12-t12-l-1234.table'
  assert.ok(LIMITS.shardNameLengthMax + ending.length <= LIMITS.fileNameLengthMax)
})
