/** A database whose journal, or whose heads, have gone as a whole. */

import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VarveError } from '../src/kernel/errors.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

// It opened as an empty database: the journal's own traces of what was synced had gone with it.
test('a journal that is missing as a whole is told, and there again when it is put back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-lost-'))
  const [journal, aside, saved] = ['journal', 'aside', 'saved'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const emptied = (): void => {
    for (const shard of readdirSync(aside)) mkdirSync(join(journal, shard), { recursive: true })
  }
  try {
    const db = await open(directory, { jobs: 'inline' })
    await db.put(Buffer.from('key'), Buffer.from('value'), { durability: 'synced' })
    await db.close()
    renameSync(journal, aside)
    for (const leave of [() => undefined, emptied]) {
      leave()
      for (const readOnly of [true, false]) {
        const opened = await open(directory, { jobs: 'inline', readOnly }).catch((error: unknown) => error)
        assert.ok(opened instanceof VarveError && opened.code === 'JOURNAL_CORRUPT', String(opened))
        assert.match(String(opened.details['file']), /^journal\/main\/fence\./)
      }
      // Repair said that nothing was lost.
      const { losses } = await repair(directory, saved)
      assert.ok(losses.some(({ file }) => file.startsWith('journal/main/fence.')))
      rmSync(saved, { recursive: true })
      rmSync(journal, { recursive: true, force: true })
    }
    renameSync(aside, journal)
    const again = await open(directory, { jobs: 'inline' })
    assert.equal(String(await again.get(Buffer.from('key'))), 'value')
    await again.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

// Who only read went on from the head before, and showed what had been there then.
test('a head that is older than its journal is told to who only reads, too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-lost-'))
  try {
    for (const value of ['one', 'two']) {
      const db = await open(directory, { jobs: 'inline' })
      await db.put(Buffer.from('key'), Buffer.from(value), { durability: 'synced' })
      await db.close()
    }
    const heads = join(directory, 'heads')
    rmSync(join(heads, readdirSync(heads).toSorted().at(-1) as string))
    for (const readOnly of [true, false])
      await assert.rejects(open(directory, { jobs: 'inline', readOnly }), { code: 'JOURNAL_CORRUPT' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

// Whoever opened it to write was FENCED: told that another process had taken it.
test('directories of two databases that were copied into one are damage to whoever opens them, to read or to write', async () => {
  const place = mkdtempSync(join(tmpdir(), 'varve-lost-'))
  const [flushed, opened] = [join(place, 'flushed'), join(place, 'opened')]
  try {
    // One has the later head, the other the later owner.
    const db = await open(flushed, { jobs: 'inline' })
    for (let round = 0; round < 5; round++) {
      await db.put(Buffer.from('key'), Buffer.from('value'))
      await db.flush()
    }
    await db.close()
    for (let round = 0; round < 3; round++) {
      const again = await open(opened, { jobs: 'inline' })
      await again.put(Buffer.from('key'), Buffer.from('another'))
      await again.close()
    }
    cpSync(flushed, opened, { recursive: true })
    const reading = open(opened, { jobs: 'inline', readOnly: true })
    await assert.rejects(reading, {
      code: 'JOURNAL_CORRUPT',
      message: /an owner that the committed state does not know/,
    })
    await assert.rejects(open(opened, { jobs: 'inline' }), {
      code: 'JOURNAL_CORRUPT',
      message: /its last owner had epoch 3, and the head knows of none after 1; .* two databases were copied into one/,
    })
    await assert.rejects(open(opened, { jobs: 'inline' }), { code: 'JOURNAL_CORRUPT' })
  } finally {
    rmSync(place, { recursive: true })
  }
})

// Opening wrote a head of an empty database, in which repair then believed: all tables were lost to it.
test('a database whose heads are missing is told, stays as it is, and repair saves everything', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-lost-'))
  const [heads, saved] = [join(directory, 'data', 'heads'), join(directory, 'saved')]
  try {
    const db = await open(join(directory, 'data'), { jobs: 'inline' })
    await db.put(Buffer.from('in a table'), Buffer.from('value'))
    await db.flush()
    await db.put(Buffer.from('in the journal'), Buffer.from('value'))
    await db.close()
    rmSync(heads, { recursive: true })
    for (const options of [{}, { readOnly: true }, { createIfMissing: false }]) {
      const opening = open(join(directory, 'data'), { jobs: 'inline', ...options })
      await assert.rejects(opening, { code: 'HEAD_CORRUPT', message: /no head, but files such as main\./ })
    }
    await assert.rejects(repair(join(directory, 'data'), join(directory, 'data')), { code: 'EXISTS' })
    assert.deepEqual(existsSync(heads) ? readdirSync(heads) : [], [])
    const { entries, headFound } = await repair(join(directory, 'data'), saved)
    assert.deepEqual({ entries, headFound }, { entries: 2, headFound: false })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
