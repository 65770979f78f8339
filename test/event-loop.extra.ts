/**
 * How long the main thread is held while keys are loaded, flushed and compacted, against the same loader without an
 * engine. Processor time of the thread is what counts, so that other programs on the machine do not.
 */

import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pid } from 'node:process'
import { test } from 'node:test'
import type { KvKeyOperation } from '../src/engines/kv/kv.ts'
import { open } from '../src/local.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'

const KEYS = 300_000
const HELD_MS_MAX = 10
const SCHEDSTAT = `/proc/self/task/${pid}/schedstat`

/** The most processor time, in milliseconds, between two turns of the event loop while `work` runs. */
async function mostHeldMs(work: () => Promise<void>): Promise<number> {
  const file = openSync(SCHEDSTAT, 'r')
  const buffer = Buffer.alloc(64)
  const cpuMs = (): number => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)).split(' ')[0]) / 1e6
  let [most, running, last] = [0, true, cpuMs()]
  const probe = (): void => {
    const now = cpuMs()
    most = Math.max(most, now - last)
    last = now
    if (running) setImmediate(probe)
  }
  setImmediate(probe)
  await work()
  running = false
  await new Promise((resolve) => setTimeout(resolve, 10))
  closeSync(file)
  return most
}

async function load(write: (operations: readonly KvKeyOperation[]) => Promise<void>): Promise<void> {
  const random = new SeededRandom(1)
  const value = Buffer.alloc(100, 'value')
  for (let count = 0; count < KEYS; count += 100) {
    const operations = Array.from({ length: 100 }, (): KvKeyOperation => {
      const key = Buffer.alloc(16)
      for (let at = 0; at < 16; at += 4) key.writeUInt32BE(random.u32(), at)
      return { type: 'put', key, value }
    })
    await write(operations)
  }
}

const skip = existsSync(SCHEDSTAT) ? false : 'the system does not tell the processor time of a thread'

test('loading and compacting does not hold the main thread', { skip }, async () => {
  const control = await mostHeldMs(() => load(() => new Promise((resolve) => setImmediate(resolve))))
  const directory = mkdtempSync(join(tmpdir(), 'varve-loop-'))
  const db = await open(directory, { settings: { memtableBytes: 4 << 20, level0Files: 2 } })
  try {
    const held = await mostHeldMs(async () => {
      await load((operations) => db.batch(operations))
      await db.flush()
      await db.settle()
    })
    const { flushes, compactions } = db.statistics()
    assert.ok(flushes > 5 && compactions > 0)
    assert.ok(held < control + HELD_MS_MAX, `held for ${held.toFixed(1)} ms, the control for ${control.toFixed(1)} ms`)
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})
