/** What a call was given is what counts, on this thread and on those that begin later, whatever becomes of it afterwards. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { checkpoint } from '../src/local-checkpoint.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

const SETTINGS = { memtableBytes: 32_768, level0Files: 2 }
const before = process.cwd()
let parent: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'varve-kept-'))
  for (const name of ['here', 'there']) mkdirSync(join(parent, name))
})

afterEach(() => {
  process.chdir(before)
  rmSync(parent, { recursive: true })
})

async function fill(db: KvShard): Promise<void> {
  for (let index = 0; index < 1000; index++) await db.put(Buffer.from(`key ${index}`), Buffer.alloc(100, index))
  await db.flush()
  await db.compactRange()
}

async function count(db: KvShard): Promise<number> {
  let entries = 0
  for await (const { key } of db.scan()) entries += key.length > 0 ? 1 : 0
  await db.close()
  return entries
}

// Threads wrote tables below the new directory, and the journal behind them was dropped.
test('a relative path means what it meant at the call, wherever the process goes from there', async () => {
  process.chdir(join(parent, 'here'))
  const opening = open('database', { settings: SETTINGS })
  process.chdir(join(parent, 'there'))
  const db = await opening
  await fill(db)
  process.chdir(join(parent, 'here'))
  const copying = checkpoint(db, 'copy')
  process.chdir(join(parent, 'there'))
  await copying
  await db.close()
  process.chdir(join(parent, 'here'))
  const saving = repair('database', 'saved')
  process.chdir(join(parent, 'there'))
  assert.deepEqual((await saving).losses, [])
  assert.deepEqual(readdirSync(join(parent, 'there')), [])
  for (const name of ['database', 'copy', 'saved'])
    assert.equal(await count(await open(join(parent, 'here', name))), 1000)
})

// Threads encrypted tables with what was in its place: with the secret they could never be read again.
test('a secret may be overwritten, and the list of keys emptied, as soon as the call has been made', async () => {
  const directory = join(parent, 'database')
  const given = (): { keys: { id: string; secret: Buffer }[]; readonly forget: () => void } => {
    const keys = [{ id: 'key', secret: Buffer.alloc(32, 7) }]
    const forget = (): void => {
      for (const { secret } of keys.splice(0)) secret.fill(0)
    }
    return { keys, forget }
  }
  const called = async <Answer>(
    call: (encryption: { keys: { id: string; secret: Buffer }[] }) => Promise<Answer>,
  ): Promise<Answer> => {
    const { keys, forget } = given()
    const answer = call({ keys })
    forget()
    return answer
  }
  const db = await called((encryption) => open(directory, { encryption, settings: SETTINGS }))
  await fill(db)
  await called((encryption) => checkpoint(db, `${directory}-copy`, { encryption }))
  await db.close()
  const { losses } = await called((encryption) => repair(directory, `${directory}-saved`, { encryption }))
  assert.deepEqual(losses, [])
  for (const path of [directory, `${directory}-copy`, `${directory}-saved`])
    assert.equal(await count(await open(path, { encryption: given() })), 1000, path)
})
