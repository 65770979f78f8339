/** What is deleted, renamed or damaged while a database is open: every call settles, and says what has gone. */

import assert from 'node:assert/strict'
import { open as openFile, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../src/local.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { VarveError, isCode } from '../src/kernel/errors.ts'
import { KIB } from '../src/kernel/limits.ts'

const SETTINGS = { memtableBytes: 16 * KIB, retryDelayMs: 10, stallMs: 100 }
const ROUNDS_MAX = 10_000
const keyOf = (index: number): Uint8Array => Buffer.from(`key ${index}`)
const valueOf = (index: number): Uint8Array => Buffer.alloc(1000, index)

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'varve-gone-'))
  try {
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const openIn = (directory: string): Promise<KvShard> => open(directory, { jobs: 'inline', settings: SETTINGS })

/** Other bytes in the middle of a file. */
async function damage(path: string): Promise<void> {
  const file = await openFile(path, 'r+')
  const { size } = await file.stat()
  await file.write(Buffer.alloc(Math.ceil(size / 2), 0x5a), 0, undefined, Math.floor(size / 4))
  await file.close()
}

/** What was merged goes while the rest is damaged. */
function unlessRemoved(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}

/** Puts, awaiting each, from `first` on. */
async function putUntilRefused(
  db: KvShard,
  first: number,
): Promise<{ readonly next: number; readonly error: VarveError }> {
  for (let next = first; next < first + ROUNDS_MAX; next++) {
    try {
      await db.put(keyOf(next), valueOf(next))
    } catch (error) {
      assert.ok(error instanceof VarveError, String(error))
      return { next, error }
    }
  }
  throw new Error('nothing was refused')
}

async function check(db: KvShard, count: number): Promise<void> {
  for (let index = 0; index < count; index++) assert.deepEqual(await db.get(keyOf(index)), valueOf(index), `${index}`)
}

test(
  'where files/ was renamed, puts are refused with what has gone, and taken again once it is back',
  { timeout: 300_000 },
  () =>
    inDirectory(async (directory) => {
      const db = await openIn(join(directory, 'db'))
      for (let index = 0; index < 50; index++) await db.put(keyOf(index), valueOf(index))
      await db.flush()
      await rename(join(directory, 'db/files'), join(directory, 'aside'))
      const { next, error } = await putUntilRefused(db, 50)
      assert.equal(error.code, 'BUSY')
      assert.match(error.message, /directory files .*gone.*taken once/)
      await assert.rejects(db.flush(), /directory files .*gone/)
      await rename(join(directory, 'aside'), join(directory, 'db/files'))
      let taken = false
      for (let round = 0; round < ROUNDS_MAX && !taken; round++) {
        taken = await db.put(keyOf(next), valueOf(next)).then(
          () => true,
          (refused: unknown) => {
            assert.ok(isCode(refused, 'BUSY'), String(refused))
            return new Promise<boolean>((resolve) => setTimeout(resolve, 5, false))
          },
        )
      }
      assert.ok(taken)
      await db.flush()
      await check(db, next + 1)
      await db.close()
      const again = await openIn(join(directory, 'db'))
      await check(again, next + 1)
      await again.close()
    }),
)

test('where files/ was deleted, waiting puts settle, and so does closing', { timeout: 300_000 }, () =>
  inDirectory(async (directory) => {
    const db = await openIn(join(directory, 'db'))
    for (let index = 0; index < 50; index++) await db.put(keyOf(index), valueOf(index))
    await db.flush()
    // At once: a flush that runs may still add to what is being removed.
    await rename(join(directory, 'db/files'), join(directory, 'deleted'))
    const all: Promise<unknown>[] = []
    for (let index = 0; index < 200; index++) {
      const put = db.put(keyOf(index), valueOf(index))
      // Where turns are slow, the first are refused before the last are written.
      put.catch(() => undefined)
      all.push(put)
      // Memtables are frozen between turns.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const outcomes = await Promise.allSettled(all)
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    assert.ok(refused.length > 0)
    for (const outcome of refused) assert.ok(outcome.status === 'rejected' && isCode(outcome.reason, 'BUSY'))
    await db.close()
  }),
)

test(
  'where tables are damaged, writes that wait for their compaction are refused, and reads go on',
  { timeout: 300_000 },
  () =>
    inDirectory(async (directory) => {
      const db = await openIn(join(directory, 'db'))
      const sameKeys = async (): Promise<VarveError> => {
        for (let index = 0; index < ROUNDS_MAX; index++) {
          try {
            await db.put(keyOf(index % 50), valueOf(index))
          } catch (error) {
            assert.ok(error instanceof VarveError, String(error))
            return error
          }
        }
        throw new Error('nothing was refused')
      }
      for (let index = 0; index < 50; index++) await db.put(keyOf(index), valueOf(index))
      await db.compactRange()
      const files = join(directory, 'db/files')
      for (const name of await readdir(files))
        if (name.endsWith('.table')) await damage(join(files, name)).catch(unlessRemoved)
      const error = await sameKeys()
      assert.equal(error.code, 'BUSY')
      assert.match(error.message, /cannot be compacted.*\.table.*repaired/)
      assert.deepEqual((await db.get(keyOf(0)))?.length, 1000)
      await db.close()
    }),
)

test('where heads/ was deleted, writes end with FENCED, which says that the head is gone', { timeout: 300_000 }, () =>
  inDirectory(async (directory) => {
    const db = await openIn(join(directory, 'db'))
    await rm(join(directory, 'db/heads'), { recursive: true })
    const { error } = await putUntilRefused(db, 0)
    assert.equal(error.code, 'FENCED')
    assert.match(error.message, /head .*gone/)
    await db.close()
  }),
)

test(
  'a database whose directory was renamed while it was open opens under the new name once it is closed',
  { timeout: 300_000 },
  () =>
    inDirectory(async (directory) => {
      const [before, after] = [join(directory, 'before'), join(directory, 'after')]
      const db = await openIn(before)
      await db.put(keyOf(0), valueOf(0))
      await rename(before, after)
      await assert.rejects(openIn(after), { code: 'LOCKED' })
      await db.close()
      const again = await openIn(after)
      await check(again, 1)
      await again.close()
    }),
)
