/** Reads more tables than the process may have files open; prints what became of it. */

import { execFileSync } from 'node:child_process'
import { isCode } from '../../src/kernel/errors.ts'
import { open } from '../../src/local.ts'

const TABLES = 120
const [, , directory = ''] = process.argv
// Only now: Node opens more files than that to load its modules.
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:64'])
const db = await open(directory, { jobs: 'inline', settings: { policy: 'fifo' } })
for (let index = 0; index < TABLES; index++) {
  await db.put(Buffer.from(`key ${index}`), Buffer.from(`value ${index}`))
  await db.flush()
}
let found = 0
for (let round = 0; round < 2; round++) {
  for (let index = 0; index < TABLES; index++) {
    const value = await db.get(Buffer.from(`key ${index}`))
    if (String(value === undefined ? undefined : Buffer.from(value)) === `value ${index}`) found++
  }
}
// A scan has to hold all of them at once, which cannot be.
let scan = 'whole'
try {
  let count = 0
  for await (const { key } of db.scan()) count += key.length > 0 ? 1 : 0
  if (count !== TABLES) scan = `${count} entries`
} catch (error) {
  scan = isCode(error, 'OUT_OF_FILES') ? 'OUT_OF_FILES' : String(error)
}
const after = await db.get(Buffer.from('key 0'))
process.stdout.write(JSON.stringify({ files: db.statistics().files, found, scan, after: after !== undefined }))
await db.close()
