/** A database encrypted at rest, on a directory, with its jobs in workers; and wrappers that workers put on, too. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { toHex } from '../src/kernel/bytes.ts'
import { checkpoint } from '../src/local-checkpoint.ts'
import { open } from '../src/local.ts'
import type { LocalOpenOptions } from '../src/local.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import type { EncryptionKey } from '../src/fs/key-ring.ts'
import * as diary from './call-diary.ts'

const OLD: EncryptionKey = { id: '2025', secret: new Uint8Array(32).fill(1) }
const NEW: EncryptionKey = { id: '2026', secret: new Uint8Array(32).fill(2) }
const TINY = { memtableBytes: 4096, tableBytes: 4096, level0Files: 2, compression: 'none' } as const
const TEXT = 'a confidential value '

function freshDirectory(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'varve-encryption-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'db')
}

function openWith(directory: string, keys: readonly EncryptionKey[], options: LocalOpenOptions = {}): Promise<KvShard> {
  return open(directory, { settings: TINY, encryption: { keys }, ...options })
}

const key = (index: number): Uint8Array => Buffer.from(`confidential-key-${String(index).padStart(4, '0')}`)
const value = (index: number): Uint8Array => Buffer.from(`${TEXT}${index}`.repeat(3))

async function write(db: KvShard, from: number, to: number): Promise<void> {
  // Not in order: tables that do not overlap would be moved, not rewritten.
  const count = to - from
  for (let step = 0; step < count; step++) {
    const index = from + ((step * 7) % count)
    await db.put(key(index), value(index))
  }
  await db.flush()
  await db.settle()
}

async function check(db: KvShard, count: number): Promise<void> {
  let next = 0
  for await (const entry of db.scan()) {
    assert.deepEqual([toHex(entry.key), toHex(entry.value)], [toHex(key(next)), toHex(value(next))])
    next++
  }
  assert.equal(next, count)
}

/** Every stored byte but the journal's. */
function stored(directory: string): Buffer {
  const files = ['files', 'heads'].flatMap((folder) =>
    readdirSync(join(directory, folder)).map((name) => readFileSync(join(directory, folder, name))),
  )
  assert.ok(files.length >= 2, 'there is a table and a head')
  return Buffer.concat(files)
}

for (const jobs of ['threads', 'inline'] as const) {
  test(`no key and no value is in tables, manifests and heads, with ${jobs}`, async (context) => {
    const directory = freshDirectory(context)
    const db = await openWith(directory, [OLD], { jobs })
    await write(db, 0, 400)
    assert.ok(db.statistics().compactions > 0, 'nothing was compacted')
    await check(db, 400)
    await db.close()
    assert.ok(!stored(directory).includes('confidential'))
    const again = await openWith(directory, [OLD], { jobs })
    await check(again, 400)
    await again.close()
  })
}

test('without its key a database does not open, and is as it was', async (context) => {
  const directory = freshDirectory(context)
  const db = await openWith(directory, [OLD])
  await write(db, 0, 51)
  await db.close()
  const before = stored(directory)
  await assert.rejects(openWith(directory, [NEW]), { code: 'WRONG_KEY' })
  await assert.rejects(openWith(directory, [{ ...NEW, id: OLD.id }]), { code: 'WRONG_KEY' })
  await assert.rejects(open(directory), { code: 'INCOMPATIBLE' })
  assert.ok(stored(directory).equals(before))
  const again = await openWith(directory, [OLD])
  await check(again, 51)
  await again.close()
})

test('a plain database does not open as an encrypted one', async (context) => {
  const directory = freshDirectory(context)
  await (await open(directory)).close()
  await assert.rejects(openWith(directory, [OLD]), { code: 'INCOMPATIBLE' })
})

test('compactions bring a database under a new key', async (context) => {
  const directory = freshDirectory(context)
  const db = await openWith(directory, [OLD])
  await write(db, 0, 300)
  await db.close()
  const rotating = await openWith(directory, [NEW, OLD])
  await check(rotating, 300)
  // Every table is in the way of the same keys written again.
  await write(rotating, 0, 300)
  await rotating.compactRange()
  await rotating.close()
  const rotated = await openWith(directory, [NEW])
  await check(rotated, 300)
  await rotated.close()
})

test('a checkpoint is encrypted with the keys that are given for it', async (context) => {
  const [directory, target, plain] = [1, 2, 3].map(() => freshDirectory(context)) as [string, string, string]
  const db = await openWith(directory, [OLD])
  await write(db, 0, 100)
  await checkpoint(db, target, { encryption: { keys: [NEW] } })
  await checkpoint(db, plain)
  await db.close()
  assert.ok(!stored(target).includes('confidential'))
  for (const copy of [await openWith(target, [NEW]), await open(plain)]) {
    await check(copy, 100)
    await copy.close()
  }
})

test('keys that are none are refused before anything is touched', async (context) => {
  const directory = freshDirectory(context)
  for (const keys of [[], [{ id: 'x', secret: new Uint8Array(31) }], [OLD, OLD]])
    await assert.rejects(
      openWith(directory, keys),
      (error) => error instanceof TypeError || error instanceof RangeError,
    )
  assert.throws(() => readdirSync(directory), { code: 'ENOENT' })
})

test('a wrapper of files is put on in workers as on the main thread', async (context) => {
  const directory = freshDirectory(context)
  const path = `${directory}.diary`
  const url = new URL('./call-diary.js', import.meta.url)
  const wrappers = [{ module: diary, url, export: 'keepDiary', options: { path } }]
  const db = await openWith(directory, [OLD], { wrappers })
  await write(db, 0, 400)
  await check(db, 400)
  await db.close()
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  const tables = lines.filter((line) => line.includes('finish') && line.endsWith('.table'))
  assert.ok(tables.length > 2, lines.slice(0, 10).join('\n'))
  for (const line of tables) assert.match(line, /^worker/)
  assert.ok(lines.some((line) => line.startsWith('main read')))
})

test('a wrapper that is no function is refused by name', async (context) => {
  const wrappers = [{ module: diary, url: new URL('./call-diary.js', import.meta.url), export: 'absent' }]
  await assert.rejects(open(freshDirectory(context), { wrappers }), { name: 'TypeError', message: /absent/ })
})
