import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { shardId } from '../src/kernel/ids.ts'
import { localComponents } from '../src/local-components.ts'
import { KV_HANDLERS, open } from '../src/local.ts'
import { destroy } from '../src/local-destroy.ts'

function freshDirectory(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'varve-destroy-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'db')
}

/** A database that has had every kind of file: tables, journal segments, heads, and what a crash leaves. */
async function fill(directory: string): Promise<void> {
  const db = await open(directory, { settings: { memtableBytes: 2048, level0Files: 2 } })
  for (let index = 0; index < 300; index++) await db.put(Buffer.from(`key-${index}`), Buffer.alloc(50))
  await db.flush()
  await db.put(Buffer.from('in the journal'), Buffer.alloc(50))
  await db.close()
  assert.ok(readdirSync(join(directory, 'files')).length > 0, 'there are tables')
}

test('a database is removed with its directory, and can be made again', async (context) => {
  const directory = freshDirectory(context)
  await fill(directory)
  await destroy(directory)
  assert.ok(!existsSync(directory))
  const db = await open(directory, { errorIfExists: true })
  assert.equal(await db.get(Buffer.from('key-1')), undefined)
  await db.close()
})

test('what varve did not make stays, wherever it is', async (context) => {
  const directory = freshDirectory(context)
  await fill(directory)
  // The last was taken for a head of another shard, and nothing was removed.
  const aside = 'heads/Copy of main.head-0000000000000001'
  const foreign = ['notes.txt', 'files/photo.jpg', 'heads/hair', 'journal/diary', 'journal/main/entry.txt', aside]
  for (const path of foreign) writeFileSync(join(directory, path), path)
  await destroy(directory)
  for (const path of foreign) assert.equal(readFileSync(join(directory, path), 'utf8'), path)
  const left = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.equal(left.length, foreign.length, left.map(({ name }) => name).join(', '))
})

test('a database that was cloned is not removed from under its clone', async (context) => {
  const directory = freshDirectory(context)
  await fill(directory)
  const db = await open(directory, { jobs: 'inline' })
  await db.clone('copy')
  await db.close()
  const before = readdirSync(directory, { recursive: true }).map(String).toSorted()
  await assert.rejects(destroy(directory), {
    code: 'UNSUPPORTED',
    message: `shard copy in ${directory} may share tables of the database: remove the directory as a whole`,
  })
  const made = (name: unknown): boolean => name !== 'lock'
  assert.deepEqual(readdirSync(directory, { recursive: true }).map(String).toSorted().filter(made), before.filter(made))
  const components = await localComponents(directory, { handlers: KV_HANDLERS, jobs: 'inline' })
  const clone = await openKv({ ...components, shard: shardId('copy') })
  assert.equal((await clone.get(Buffer.from('key-1')))?.length, 50)
  await clone.close()
})

test('a directory without a database, and none at all, are left as they are', async (context) => {
  const directory = freshDirectory(context)
  await destroy(directory)
  assert.ok(!existsSync(directory))
  await destroy(join(directory, 'not', 'there'))
  mkdirSync(directory)
  await destroy(directory)
  assert.ok(existsSync(directory), 'an empty directory is not ours')
  writeFileSync(join(directory, 'foo'), 'FOO')
  await destroy(directory)
  assert.deepEqual(readdirSync(directory), ['foo'])
})

test('a database that is open is not destroyed', async (context) => {
  const directory = freshDirectory(context)
  const db = await open(directory)
  await db.put(Buffer.from('a'), Buffer.from('1'))
  await assert.rejects(destroy(directory), { code: 'LOCKED' })
  assert.deepEqual(await db.get(Buffer.from('a')), Buffer.from('1'))
  await db.close()
})

test('what is half removed is no empty database, and destroying it again finishes', async (context) => {
  const directory = freshDirectory(context)
  await fill(directory)
  rmSync(join(directory, 'journal'), { recursive: true })
  await assert.rejects(open(directory), { kind: 'corrupt' })
  await destroy(directory)
  assert.ok(!existsSync(directory))
})

test('a directory that is no path is refused', async () => {
  await assert.rejects(destroy(''), TypeError)
  await assert.rejects(destroy({} as string), TypeError)
})
