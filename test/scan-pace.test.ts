/** A scan that is served from memory does not keep the event loop to itself. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '../src/system-clock.ts'
import { Simulation } from './simulation.ts'

// Every pull resolved in the microtasks of the one before: no timer ran until the scan had ended.
test('timers fire while a long scan is served from memory', async () => {
  const simulation = await Simulation.start(1, { memtableBytes: 64 * 1024 * 1024 }, undefined, new SystemClock())
  const { db } = simulation
  const value = Buffer.alloc(20)
  for (let index = 0; index < 100_000; index++) {
    const put = db.put(Buffer.from(`key ${String(index).padStart(6, '0')}`), value)
    if (index % 1000 === 999) await put
  }
  let fired = 0
  let latest = performance.now()
  let longestMs = 0
  const timer = setInterval(() => {
    fired++
    longestMs = Math.max(longestMs, performance.now() - latest)
    latest = performance.now()
  }, 1)
  let count = 0
  const start = performance.now()
  for await (const entry of db.scan()) count += entry.value.length > 0 ? 1 : 0
  const elapsedMs = performance.now() - start
  clearInterval(timer)
  assert.equal(count, 100_000)
  assert.ok(elapsedMs > 20, `the scan took ${elapsedMs.toFixed(0)} ms: too short to tell`)
  assert.ok(
    fired > elapsedMs / 500,
    `${fired} turns in ${elapsedMs.toFixed(0)} ms, ${longestMs.toFixed(0)} ms apart at worst`,
  )
  await simulation.stop()
})
