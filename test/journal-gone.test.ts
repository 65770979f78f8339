/** A journal, or a segment of it, that is deleted, replaced or cut while its database is open: nothing is acknowledged for long. */

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Durability } from '../src/journal/journal.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { open } from '../src/local.ts'

// Twice what docs/reliability.md says, for a machine that has other work.
const NOTICED_MS = 200
// Other programs may have the disk, or the processor, for longer than that.
const ATTEMPTS = 4

const LOSSES: Readonly<Record<string, (journal: string, segment: string) => void>> = {
  deleted: (journal) => rmSync(journal, { recursive: true }),
  'moved away': (journal) => renameSync(journal, `${journal}.aside`),
  'replaced by a copy': (journal) => {
    renameSync(journal, `${journal}.aside`)
    cpSync(`${journal}.aside`, journal, { recursive: true })
  },
  'without its segment': (_, segment) => rmSync(segment),
  'with an empty segment': (_, segment) => truncateSync(segment, 0),
  'with a segment cut in half': (_, segment) => truncateSync(segment, 1000),
}

async function inDatabase(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-gone-'))
  try {
    await work(join(directory, 'db'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

for (const durability of ['written', 'synced'] as const) {
  for (const [what, lose] of Object.entries(LOSSES)) {
    test(`puts that are ${durability} are refused soon after the journal is ${what}, and reads go on`, async () => {
      const tookMs: number[] = []
      while (tookMs.length < ATTEMPTS && !tookMs.some((ms) => ms < NOTICED_MS))
        await inDatabase(async (directory) => void tookMs.push(await untilRefused(directory, durability, lose)))
      assert.ok(Math.min(...tookMs) < NOTICED_MS, `it took ${tookMs.join(', ')} ms`)
    })
  }
}

/** @returns after how many milliseconds */
async function untilRefused(
  directory: string,
  durability: Durability,
  lose: (journal: string, segment: string) => void,
): Promise<number> {
  const db = await open(directory, { jobs: 'inline' })
  for (let index = 0; index < 50; index++) await db.put(key(index), Buffer.alloc(100, 1), { durability })
  // A cut within what was written last is not told apart from the log, where more follows at once.
  await sleep(NOTICED_MS)
  const journal = join(directory, 'journal')
  const segment = readdirSync(join(journal, 'main')).find((name) => name.endsWith('.log')) as string
  lose(journal, join(journal, 'main', segment))
  const before = performance.now()
  const { code, details, message } = await putUntilRefused(db, durability)
  const tookMs = performance.now() - before
  assert.equal(code, 'JOURNAL_CORRUPT')
  assert.equal(details['file'], `journal/main/${segment}`)
  assert.match(message, /while the journal was open.*Reads go on.*varve repair/s)
  // It is said again, and not that an open would do.
  await assert.rejects(db.put(key(0), key(1)), { code: 'JOURNAL_CORRUPT', message })
  await assert.rejects(db.sync(), { code: 'JOURNAL_CORRUPT' })
  assert.equal((await db.get(key(49)))?.length, 100)
  await assert.rejects(db.close(), { code: 'JOURNAL_CORRUPT' })
  return tookMs
}

async function putUntilRefused(db: Awaited<ReturnType<typeof open>>, durability: Durability): Promise<VarveError> {
  for (let index = 50; index < 1_000_000; index++) {
    const refusal = await db.put(key(index), Buffer.alloc(10, 1), { durability }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refusal === undefined) continue
    assert.ok(refusal instanceof VarveError)
    return refusal
  }
  throw new Error('nothing was refused')
}

test('after a pause not one put is acknowledged that the journal has lost, nor a sync of what it has lost', () =>
  inDatabase(async (directory) => {
    for (const call of ['put', 'sync'] as const) {
      const db = await open(directory, { jobs: 'inline' })
      await db.put(key(0), key(0), { durability: 'synced' })
      await db.flush()
      await db.put(key(1), key(1), { durability: 'synced' })
      renameSync(join(directory, 'journal'), join(directory, 'aside'))
      await sleep(NOTICED_MS)
      await assert.rejects(call === 'put' ? db.put(key(2), key(2)) : db.sync(), { code: 'JOURNAL_CORRUPT' })
      await assert.rejects(db.close(), { code: 'JOURNAL_CORRUPT' })
      renameSync(join(directory, 'aside'), join(directory, 'journal'))
    }
    // Put back, nothing is missing.
    const db = await open(directory, { jobs: 'inline' })
    assert.ok(await db.has(key(1)))
    await db.close()
  }))

test('a segment that takes no more writes is missed, too', () =>
  inDatabase(async (directory) => {
    for (let opening = 0; opening < 3; opening++) {
      const db = await open(directory, { jobs: 'inline' })
      await db.put(key(opening), key(opening), { durability: 'synced' })
      await db.close()
    }
    const db = await open(directory, { jobs: 'inline' })
    const journal = join(directory, 'journal/main')
    const oldest = readdirSync(journal)
      .filter((name) => name.endsWith('.log'))
      .toSorted()[0] as string
    rmSync(join(journal, oldest))
    const { code, details } = await putUntilRefused(db, 'written')
    assert.deepEqual([code, details['file']], ['JOURNAL_CORRUPT', `journal/main/${oldest}`])
    await assert.rejects(db.close(), { code: 'JOURNAL_CORRUPT' })
  }))

test('segments that are truncated, worn or taken over are not missed', () =>
  inDatabase(async (directory) => {
    const db = await open(directory, { jobs: 'inline' })
    for (let round = 0; round < 6; round++) {
      for (let index = 0; index < 100; index++)
        await db.put(key(index), Buffer.alloc(60_000, index), { durability: index % 10 === 0 ? 'synced' : 'written' })
      await Promise.all([db.flush(), db.put(key(1), key(2), { durability: 'synced' })])
      await sleep(60)
    }
    await db.close()
  }))

function key(index: number): Buffer {
  return Buffer.from(`key ${index}`)
}
