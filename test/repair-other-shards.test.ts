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
    message: /there is no shard main in .*orders: name one of those it has, orders$/,
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
  assert.match(String(refused.stderr), /NOT_FOUND: .*it has, orders\nName it with `--shard NAME`/)
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

// Only the origin was named, as one that is not saved, and not what the clone has of it.
test('where no head of a clone can be read, what it has of its origin is named as not saved', async () => {
  const [directory, target] = [path.join(scratch, 'shared'), path.join(scratch, 'shared-saved')]
  const db = await open(directory, { jobs: 'inline' })
  await put(db, 'base', 'of main')
  await db.clone('other')
  await put(db, 'more', 'of main')
  await db.clone('copy')
  await db.close()
  await withShard(directory, 'copy', (copy) => put(copy, 'key', 'of the copy'))
  removeHeads(directory, 'copy')
  const { losses, headFound } = await repair(directory, target, { shard: 'copy' })
  assert.equal(headFound, false)
  assert.deepEqual(
    losses.map(({ file, reason }) => `${file}: ${reason}`).filter((loss) => loss.includes('what copy has')),
    ['files: what copy has of shard main, in tables of that one (2), is not saved: only its head says it'],
  )
  assert.deepEqual(await contentOf(target), { key: 'of the copy' })
})

// Other shards were known by their heads only: without these, what a second clone had written took the place of the first one's.
test('without any head, what is saved of a clone is what it has written itself, and whose tables are left out is told', async () => {
  const directory = path.join(scratch, 'headless')
  const db = await open(directory, { jobs: 'inline' })
  await put(db, 'base', 'of main')
  for (const clone of ['first', 'second']) await db.clone(clone)
  await db.close()
  for (const clone of ['first', 'second']) await withShard(directory, clone, (copy) => put(copy, 'key', `of ${clone}`))
  await withShard(directory, 'second', (copy) => put(copy, 'key', 'newer, of second'))
  for (const shard of ['main', 'first', 'second']) removeHeads(directory, shard)
  // Longer than the name of any shard: that was an error.
  const stranger = 'x'.repeat(70)
  fs.writeFileSync(path.join(directory, 'files', `${stranger}.table`), 'strange')
  for (const [shard, content, others] of [
    ['first', { key: 'of first' }, ['main', 'second']],
    ['second', { key: 'newer, of second' }, ['first', 'main']],
    ['main', { base: 'of main' }, ['first', 'second']],
  ] as const) {
    const target = path.join(scratch, `headless-${shard}`)
    const { losses } = await repair(directory, target, { shard })
    assert.deepEqual(await contentOf(target), content)
    const told = losses.map(({ reason }) => /^tables of shard (\w+) are not saved/.exec(reason)?.[1])
    assert.deepEqual(told.filter((owner) => owner !== undefined).toSorted(), [...others, stranger])
  }
})

test('where no head of a shard can be read, its tables are not taken for those of one whose name begins alike', async () => {
  for (const [shard, content] of [
    ['main', { own: '2' }],
    ['ma', { theirs: '1' }],
  ] as const) {
    const [directory, target] = [path.join(scratch, `alike-${shard}`), path.join(scratch, `alike-${shard}-saved`)]
    await withShard(directory, 'ma', async (db) => put(db, 'theirs', '1'))
    await withShard(directory, 'main', async (db) => put(db, 'own', '2'))
    removeHeads(directory, shard)
    fs.rmSync(path.join(directory, 'journal', shard), { recursive: true })
    assert.equal((await repair(directory, target, { shard })).entries, 1)
    assert.deepEqual(await contentOf(target), content)
  }
})

// The name was taken for one of a shard, and refused as none.
test("a file among the heads that is no head is in nobody's way", async () => {
  const [directory, target] = [path.join(scratch, 'strange'), path.join(scratch, 'strange-saved')]
  const db = await open(directory, { jobs: 'inline' })
  await put(db, 'a', '1')
  await db.close()
  for (const name of ['Copy of main.head-0000000000000001', 'other.head-1', 'notes.txt'])
    fs.writeFileSync(path.join(directory, 'heads', name), 'strange')
  assert.deepEqual(await repair(directory, target), { entries: 1, losses: [], headFound: true })
})

// It saved every entry of a shared table, and counted them as its own: older values of keys that are another's.
test('of a table that a split has left to two shards, what is saved of each is what it sees', async () => {
  const directory = path.join(scratch, 'split')
  await withShard(directory, 'main', async (db) => {
    for (const key of ['a', 'b', 'c', 'd']) await db.put(Buffer.from(key), Buffer.from('of both'))
    await db.flush()
    await db.split(Buffer.from('c'), 'left', 'right')
  })
  await withShard(directory, 'right', (db) => put(db, 'c', 'newer'))
  const saved = async (shard: string): Promise<Record<string, string>> => {
    const target = path.join(scratch, `split-${shard}`)
    const { entries } = await repair(directory, target, { shard })
    assert.equal(entries, 2)
    return contentOf(target)
  }
  assert.deepEqual(await saved('left'), { a: 'of both', b: 'of both' })
  assert.deepEqual(await saved('right'), { c: 'newer', d: 'of both' })
})

// What was deleted on one side took the other side with it, and nothing was said to be lost.
test('a range deletion of one shard does not reach what was another before they were merged', async () => {
  const [directory, target] = [path.join(scratch, 'merged'), path.join(scratch, 'merged-saved')]
  const at = Buffer.from('c')
  await withShard(directory, 'main', async (db) => {
    for (const key of ['a', 'b', 'c', 'd']) await db.put(Buffer.from(key), Buffer.from('of both'))
    await db.flush()
    await db.split(at, 'left', 'right')
  })
  const components = await localComponents(directory, { jobs: 'inline', handlers: KV_HANDLERS })
  const left = await openKv({ ...components, shard: shardId('left') })
  const right = await openKv({ ...components, shard: shardId('right') })
  await left.deleteRange({})
  await put(left, 'b', 'newer')
  await left.merge(right, at, 'whole')
  await Promise.all([left.close(), right.close()])

  const { entries, losses } = await repair(directory, target, { shard: 'whole' })
  assert.equal(entries, 3)
  assert.ok(losses.every(({ reason }) => reason.endsWith('only whole is')))
  assert.deepEqual(await contentOf(target), { b: 'newer', c: 'of both', d: 'of both' })
})
