/** Whatever repair cannot save, and everything that lies where a database has what it needs, is named. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { segmentName } from '../src/journal/segment-id.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-named-'))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

const MISSING = /^writes at positions \d+ to \d+ are missing$/

/** @returns the directory of a database in which `work` was done */
async function made(name: string, work: (db: KvShard) => Promise<void>): Promise<string> {
  const directory = path.join(scratch, name)
  const db = await open(directory, { jobs: 'inline' })
  await work(db)
  await db.close()
  return directory
}

async function put(db: KvShard, key: string, value: string): Promise<void> {
  await db.put(Buffer.from(key), Buffer.from(value), { durability: 'synced' })
}

async function keysOf(directory: string): Promise<Record<string, string>> {
  const db = await open(directory, { readOnly: true, jobs: 'inline' })
  const found: Record<string, string> = {}
  for await (const { key, value } of db.scan()) found[Buffer.from(key).toString()] = Buffer.from(value).toString()
  await db.close()
  return found
}

test('a key that was put again after a range deletion is saved, in tables and in the journal', async () => {
  const directory = await made('again', async (db) => {
    for (const key of ['a', 'b', 'c']) await put(db, key, 'before')
    await db.deleteRange({})
    await put(db, 'a', 'after')
    await db.flush()
    await db.deleteRange({ gte: Buffer.from('b') })
    await put(db, 'c', 'after')
  })
  const saved = path.join(scratch, 'again-saved')
  assert.deepEqual((await repair(directory, saved)).losses, [])
  assert.deepEqual(await keysOf(saved), { a: 'after', c: 'after' })
})

test('writes in the midst of a journal whose record cannot be found are named as missing', async () => {
  const value = 'x'.repeat(300)
  const directory = await made('gap', async (db) => {
    for (const key of ['key-1', 'key-2', 'key-3', 'key-4']) await put(db, key, value)
  })
  const journal = path.join(directory, 'journal', 'main')
  const [segment = ''] = fs.readdirSync(journal).filter((name) => name.endsWith('.log'))
  const bytes = fs.readFileSync(path.join(journal, segment))
  const at = bytes.indexOf('key-3')
  fs.writeFileSync(path.join(journal, segment), bytes.fill(0, at - 60, at))
  const saved = path.join(scratch, 'gap-saved')
  const { losses } = await repair(directory, saved)
  assert.ok(
    losses.some(({ reason }) => MISSING.test(reason)),
    JSON.stringify(losses),
  )
  assert.deepEqual(
    Object.keys(await keysOf(saved)).filter((key) => key !== 'key-2'),
    ['key-1', 'key-4'],
  )
})

test('a journal file of an owner that the head does not know is named', async () => {
  const directory = await made('other', async (db) => put(db, 'a', '1'))
  const stranger = path.join('journal', 'main', segmentName({ epoch: 9, attempt: 1, index: 1 }))
  fs.writeFileSync(path.join(directory, stranger), new Uint8Array(100))
  const { losses } = await repair(directory, path.join(scratch, 'other-saved'))
  assert.deepEqual(
    losses.map(({ file }) => file),
    [stranger],
  )
})
