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
// A collection of all garbage, which comes when it will, may fall into either of the two.
const ATTEMPTS = 3

const skip = canMeasureHeldTime ? false : 'the system does not tell the processor time of a thread'
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

test('loading and compacting does not hold the main thread', { skip }, async () => {
  const found: string[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { most, controlMost } = await measure()
    if (most < controlMost + HELD_MS_MAX) return
    found.push(`held for ${most.toFixed(1)} ms, the control ${controlMost.toFixed(1)}`)
  }
  assert.fail(found.join('; '))
})

async function measure(): Promise<{ readonly most: number; readonly controlMost: number }> {
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
    return { most: held.heldMsMost, controlMost: control.heldMsMost }
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
}
