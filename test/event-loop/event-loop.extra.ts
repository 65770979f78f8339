/** Loading and compacting against the same loader without an engine, beside as many busy threads. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../../src/local.ts'
import { besideBusyWorkers } from './busy-workers.ts'
import { canMeasureHeldTime, heldWhile } from './held-time.ts'
import { loadKeys } from './loader.ts'

const KEYS = 300_000
const HELD_MS_MAX = 10

const skip = canMeasureHeldTime ? false : 'the system does not tell the processor time of a thread'
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

test('loading and compacting does not hold the main thread', { skip }, async () => {
  const control = await besideBusyWorkers(2, () => heldWhile(() => loadKeys(KEYS, turn)))
  const directory = mkdtempSync(join(tmpdir(), 'varve-loop-'))
  const db = await open(directory, { settings: { memtableBytes: 4 << 20, level0Files: 2 } })
  try {
    const held = await heldWhile(async () => {
      await loadKeys(KEYS, (operations) => db.batch(operations))
      await db.flush()
      await db.settle()
    })
    const { flushes, compactions } = db.statistics()
    assert.ok(flushes > 5 && compactions > 0)
    const [most, controlMost] = [held.heldMsMost, control.heldMsMost]
    assert.ok(most < controlMost + HELD_MS_MAX, `held for ${most.toFixed(1)} ms, the control ${controlMost.toFixed(1)}`)
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})
