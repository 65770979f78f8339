/**
 * Opens a database on a file system that has been made read-only, and then writable again. Ends with 0 when all went well.
 *
 * A file system cannot be remounted read-only while a file on it is open for writing: what a kernel that has met an error
 * does to an open database is in the error loops.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { open } from '../../src/local.ts'

const [, , place = ''] = process.argv
const directory = join(place, 'db')
const COUNT = 300
const key = (index: number): Buffer => Buffer.from(`key ${index}`)

async function checkAll(readOnly: boolean): Promise<void> {
  const db = await open(directory, { readOnly })
  for (let index = 0; index < COUNT; index++) assert.deepEqual(await db.get(key(index)), key(index))
  await db.close()
}

const db = await open(directory)
for (let index = 0; index < COUNT; index++) {
  await db.put(key(index), key(index))
  if (index === COUNT / 2) await db.flush()
}
await db.close()
execFileSync('mount', ['-o', 'remount,ro', place])
await assert.rejects(open(directory), { code: 'READ_ONLY' })
await assert.rejects(open(join(place, 'other')), { code: 'READ_ONLY' })
await checkAll(true)
execFileSync('mount', ['-o', 'remount,rw', place])
await checkAll(false)
