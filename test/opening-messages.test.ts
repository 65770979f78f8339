/** What is wrong with a directory is said with its name. */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VarveError } from '../src/kernel/errors.ts'
import type { ErrorCode } from '../src/kernel/errors.ts'
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

test('options and settings that are unknown or wrong are named before the directory is made', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'varve-messages-'))
  const directory = join(parent, 'database')
  try {
    for (const [options, message] of [
      [{ jobz: 'inline' }, /^unknown option jobz: there are .*jobs/],
      [{ readonly: true }, /^unknown option readonly: /],
      [{ memtableBytes: 65536 }, /^unknown option memtableBytes: /],
      [{ settings: { memtablebytes: 65536 } }, /^unknown setting memtablebytes/],
      [{ settings: { levelCount: 2.5 } }, /^levelCount must be an integer, got 2.5/],
      [{ createIfMissing: 'no' }, /^createIfMissing must be a boolean/],
      [{ order: null }, /^order must be an object, got null/],
      [{ encryption: {} }, /^encryption must have a list of keys/],
      [{ encryption: null }, /^encryption must have a list of keys/],
      [null, /^options must be an object, got null/],
    ] as const)
      await assert.rejects(open(directory, options as never), { name: 'TypeError', message })
    assert.equal(existsSync(directory), false)
  } finally {
    rmSync(parent, { recursive: true })
  }
})
