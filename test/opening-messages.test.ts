/** What is wrong with opening is said by name, at once. */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VarveError } from '../src/kernel/errors.ts'
import type { ErrorCode } from '../src/kernel/errors.ts'
import { localComponents } from '../src/local-components.ts'
import { open } from '../src/local.ts'

// They said `shard main`, and `.`, of which every process has one.
test('EXISTS, NOT_FOUND and LOCKED name the directory that was to be opened', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-messages-'))
  const says = async (code: ErrorCode, opening: Promise<unknown>): Promise<void> => {
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof VarveError)
      assert.equal(error.code, code)
      assert.ok(error.message.includes(directory), error.message)
      return true
    })
  }
  try {
    await says('NOT_FOUND', open(directory, { createIfMissing: false }))
    await says('NOT_FOUND', open(directory, { readOnly: true }))
    await says('NOT_FOUND', open(join(directory, 'missing'), { readOnly: true }))
    const db = await open(directory)
    await says('LOCKED', open(directory))
    await db.close()
    await says('EXISTS', open(directory, { errorIfExists: true }))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a directory that has other things, and is only to be opened where it is a database, stays as it was', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-messages-'))
  try {
    writeFileSync(join(directory, 'notes.txt'), 'mine')
    for (const options of [{ createIfMissing: false }, { readOnly: true }])
      await assert.rejects(open(directory, options), { code: 'NOT_FOUND' })
    assert.deepEqual(readdirSync(directory), ['notes.txt'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('options and settings that are unknown or wrong are named before the directory is made', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'varve-messages-'))
  const directory = join(parent, 'database')
  try {
    for (const [options, message] of [
      [{ jobz: 'inline' }, /^unknown option jobz: there are .*jobs/],
      [{ readonly: true }, /^unknown option readonly: /],
      [{ memtableBytes: 65536 }, /^unknown option memtableBytes: it is a setting, { settings: { memtableBytes } }/],
      [{ cacheBytes: 65536 }, /^unknown option cacheBytes: it is a setting/],
      [{ settings: { memtablebytes: 65536 } }, /^unknown setting memtablebytes/],
      [{ settings: { levelCount: 2.5 } }, /^levelCount must be an integer, got 2.5/],
      [{ createIfMissing: 'no' }, /^createIfMissing must be a boolean/],
      [{ order: null }, /^order must be an object, got null/],
      [{ encryption: {} }, /^encryption must have a list of keys/],
      [{ encryption: null }, /^encryption must have a list of keys/],
      [null, /^options must be an object, got null/],
    ] as const)
      await assert.rejects(open(directory, options as never), { name: 'TypeError', message })
    for (const [handlers, message] of [
      [5, /^handlers must be an object, got number/],
      [{ jobs: null }, /^handlers of jobs must be an object, got null/],
      [{ jobs: {} }, /^handlers of jobs must have the URL/],
    ] as const)
      await assert.rejects(localComponents(directory, { handlers: handlers as never }), { name: 'TypeError', message })
    assert.equal(existsSync(directory), false)
  } finally {
    rmSync(parent, { recursive: true })
  }
})

// Every flush failed and was tried again, and writes waited for it, without a word.
test('worker threads without their modules, as in a bundle, are refused before the directory is made', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'varve-messages-'))
  const directory = join(parent, 'database')
  const url = new URL('./absent.js', import.meta.url)
  const error = { code: 'UNSUPPORTED', message: /absent\.js: a bundle must leave varve out.* jobs: 'inline'/ }
  try {
    await assert.rejects(open(directory, { workerUrl: url }), error)
    const handlers = { absent: { module: {}, url } }
    await assert.rejects(localComponents(directory, { handlers }), error)
    assert.equal(existsSync(directory), false)
    await (await localComponents(directory, { handlers, jobs: 'inline' })).close()
    await (await localComponents(directory, { handlers, readOnly: true })).close()
  } finally {
    rmSync(parent, { recursive: true })
  }
})
