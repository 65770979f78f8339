/** What is wrong with a directory is said with its name. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
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
