/** What writes owe the event loop. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../src/local.ts'

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
      const end = performance.now() + 200
      for (let count = 0; performance.now() < end; count++) await write(count)
      clearInterval(timer)
      // Every three milliseconds, on a machine that has nothing else to do.
      assert.ok(turns >= 3, `${turns} turns in 200 ms`)
    }
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})
