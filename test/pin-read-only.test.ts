/** A follower whose heads are opened to be read only: it can follow, and cannot pin. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import { localComponents } from '../src/local-components.ts'
import { KV_HANDLERS, open } from '../src/local.ts'

// It was told of a file in `heads` that nobody had asked for.
test('a follower with a pin over a directory that is only read is told to follow without', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-pin-'))
  const db = await open(directory, { jobs: 'inline' })
  await db.put(Buffer.from('key'), Buffer.from('value'))
  await db.flush()
  const components = (): ReturnType<typeof localComponents> =>
    localComponents(directory, { readOnly: true, handlers: KV_HANDLERS, jobs: 'inline' })
  try {
    const message = /^a pin is written to the head of shard main, which .*: follow without a pin$/
    await assert.rejects(followKv(await components(), { pin: 'reports' }), { code: 'READ_ONLY', message })
    const follower = await followKv(await components())
    assert.equal(String(await follower.db.get(Buffer.from('key'))), 'value')
    await follower.close()
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})
