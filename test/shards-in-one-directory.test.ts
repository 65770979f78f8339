/** Several shards over the components of one directory, as clones and what a shard was split into are. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { shardId } from '../src/kernel/ids.ts'
import { localComponents } from '../src/local-components.ts'
import { KV_HANDLERS, open } from '../src/local.ts'

const [KEY, VALUE] = [Buffer.from('key'), Buffer.from('value')]
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-shards-'))
after(() => fs.rmSync(directory, { recursive: true }))

test('a directory is locked, and its files open, until the last of its shards has closed', async () => {
  const components = await localComponents(directory, { handlers: KV_HANDLERS, jobs: 'inline' })
  const main = await openKv(components)
  await main.put(KEY, VALUE)
  await main.clone('fork')

  const fork = await openKv({ ...components, shard: shardId('fork') })
  const missing = openKv({ ...components, shard: shardId('missing') }, { createIfMissing: false })
  await assert.rejects(missing, { code: 'NOT_FOUND' })
  await fork.close()
  await main.put(KEY, Buffer.from('newer'))
  await main.flush()
  assert.equal(String(await main.get(KEY)), 'newer')
  await assert.rejects(open(directory), { code: 'LOCKED' })

  await main.close()
  const again = await open(directory, { jobs: 'inline' })
  assert.equal(String(await again.get(KEY)), 'newer')
  await again.close()
})
