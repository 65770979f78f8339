/** Repairing a directory of several shards, or of one that is not called `main`. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { shardId } from '../src/kernel/ids.ts'
import { localComponents } from '../src/local-components.ts'
import { repair } from '../src/local-repair.ts'
import { KV_HANDLERS, open } from '../src/local.ts'

const COMMAND = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-shards-'))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

/** Does `work` with shard `name` of `directory`. */
async function withShard(directory: string, name: string, work: (db: KvShard) => Promise<void>): Promise<void> {
  const components = await localComponents(directory, { jobs: 'inline', handlers: KV_HANDLERS })
  const db = await openKv({ ...components, shard: shardId(name) })
  await work(db)
  await db.close()
}

async function put(db: KvShard, key: string, value: string): Promise<void> {
  await db.put(Buffer.from(key), Buffer.from(value))
  await db.flush()
}

async function contentOf(directory: string): Promise<Record<string, string>> {
  const db = await open(directory, { readOnly: true, jobs: 'inline' })
  const content: Record<string, string> = {}
  for await (const { key, value } of db.scan()) content[key.toString()] = value.toString()
  await db.close()
  return content
}

function removeHeads(directory: string, shard: string): void {
  const heads = path.join(directory, 'heads')
  for (const name of fs.readdirSync(heads)) if (name.startsWith(`${shard}.`)) fs.rmSync(path.join(heads, name))
}

// What it counted as saved was what it said was not.
test('a directory whose only shard has another name is refused with that name, and saved when it is named', async () => {
  const [directory, target] = [path.join(scratch, 'orders'), path.join(scratch, 'orders-saved')]
  await withShard(directory, 'orders', async (db) => {
    await put(db, 'a', '1')
    await db.put(Buffer.from('b'), Buffer.from('2'))
  })
  await assert.rejects(repair(directory, target), {
    code: 'NOT_FOUND',
    message: /there is no shard main in .*orders; it has orders: name the one to save/,
  })
  assert.ok(!fs.existsSync(target))
  assert.deepEqual(await repair(directory, target, { shard: 'orders' }), { entries: 2, losses: [], headFound: true })
  assert.deepEqual(await contentOf(target), { a: '1', b: '2' })
  await assert.rejects(repair(directory, path.join(scratch, 'unmade'), { shard: 'no name' }), {
    code: 'LIMIT_EXCEEDED',
  })
})

test('varve repair saves the shard that is named, and says which there are where none is', async () => {
  const [directory, target] = [path.join(scratch, 'named'), path.join(scratch, 'named-saved')]
  await withShard(directory, 'orders', (db) => put(db, 'a', '1'))
  const run = (...words: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [COMMAND, 'repair', directory, target, ...words], { encoding: 'utf8' })
  const refused = run()
  assert.equal(refused.status, 1)
  assert.match(String(refused.stderr), /NOT_FOUND: .*it has orders/)
  const saved = run('--shard', 'orders')
  assert.equal(saved.status, 0, String(saved.stderr))
  assert.match(String(saved.stdout), /^Result: nothing was lost: 1 entry in /m)
})

// Without a head all tables counted, also those of a clone, whose newer writes took the place of this shard's.
test('where no head of a shard can be read, what its clone has written since is not taken for its own', async () => {
  const [directory, target] = [path.join(scratch, 'cloned'), path.join(scratch, 'cloned-saved')]
  const db = await open(directory, { jobs: 'inline' })
  await put(db, 'key', 'of main')
  await db.clone('copy')
  await db.close()
  await withShard(directory, 'copy', (copy) => put(copy, 'key', 'of the copy'))
  removeHeads(directory, 'main')
  const { entries, losses, headFound } = await repair(directory, target)
  assert.deepEqual({ entries, headFound }, { entries: 1, headFound: false })
  assert.ok(losses.some(({ reason }) => reason === 'shard copy is not saved: only main is'))
  assert.deepEqual(await contentOf(target), { key: 'of main' })
})
