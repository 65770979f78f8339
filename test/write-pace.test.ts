/** What writes owe the event loop. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../src/local.ts'

const WRITES_MAX = 50_000

// The journal writes in the turn of the put, and the promise resolved in it too: a loop held every timer, and all answers
// of workers, for thirteen seconds.
test('a loop of awaited writes lets timers run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-pace-'))
  const db = await open(directory, { jobs: 'inline' })
  try {
    for (const write of [
      (count: number) => db.put(Buffer.from(`key ${count}`), Buffer.alloc(100)),
      (count: number) => db.batch([{ type: 'put', key: Buffer.from(`key ${count}`), value: Buffer.alloc(100) }]),
    ]) {
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      // Every three milliseconds: some hundreds, on a machine that has nothing else to do.
      for (let count = 0; turns < 3 && count < WRITES_MAX; count++) await write(count)
      clearInterval(timer)
      assert.ok(turns >= 3, `${turns} turns in ${WRITES_MAX} writes`)
    }
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})
