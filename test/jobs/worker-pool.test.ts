import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JobSpec } from '../../src/jobs/jobs.ts'
import { WorkerPool } from '../../src/jobs/worker-pool.ts'
import { resolveWorkerSettings } from '../../src/jobs/worker-settings.ts'
import { testHandler } from '../../src/testing/job-handlers.ts'
import { systemClock, testComposition } from './worker-composition.ts'

const URGENT_MS = 150
const ORDINARY_MS = 500

function spec(parts: Pick<JobSpec, 'id' | 'handler' | 'parameters' | 'priority'>): JobSpec {
  const requirements = { memoryBytes: 0, labels: [] }
  return { attempt: 1, inputs: [], pinnedSeqnos: [], outputPrefix: `${parts.id}-`, requirements, ...parts }
}

/** How long an ordinary job paused for at most, an urgent one of 150 ms having begun while it ran. */
async function longestPauseMs(cores: number, ordinaryNice: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const settings = resolveWorkerSettings({ ordinaryNice })
  const pool = new WorkerPool({ composition: testComposition(folder), clock: systemClock(), settings, cores })
  const control = { signal: new AbortController().signal, onProgress: () => undefined }
  const compute = (id: string, ms: number): JobSpec =>
    spec({ id, handler: testHandler('compute'), parameters: ms, priority: 0 })
  const steps = { module: 'varve-test/steps', export: 'steps', version: 1 }
  try {
    // Both threads are there before it is measured.
    await pool.run(compute('first', 1), true, control)
    await pool.run(spec({ id: 'second', handler: steps, parameters: 1, priority: 1 }), false, control)
    const ordinary = pool.run(
      spec({ id: 'third', handler: steps, parameters: ORDINARY_MS, priority: 1 }),
      false,
      control,
    )
    await pool.run(compute('fourth', URGENT_MS), true, control)
    return Number((await ordinary).statistics['longestMs'])
  } finally {
    await pool.close()
    rmSync(folder, { recursive: true })
  }
}

test('an ordinary job stands still while an urgent one runs, where threads outnumber cores', async () => {
  const standing = await longestPauseMs(2, 5)
  assert.ok(standing > URGENT_MS * 0.7, `it paused for ${standing} ms`)
})

test('it goes on where there are cores enough, and where workers are not to stand back', async () => {
  for (const [cores, nice] of [
    [64, 5],
    [2, 0],
  ] as const) {
    // A busy machine may hold up any thread: not three times for as long.
    let least = Infinity
    for (let attempt = 0; attempt < 3 && least > URGENT_MS * 0.7; attempt++)
      least = Math.min(least, await longestPauseMs(cores, nice))
    assert.ok(least <= URGENT_MS * 0.7, `with ${cores} cores and nice ${nice} it paused for ${least} ms`)
  }
})
