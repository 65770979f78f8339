import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTarget, watchFuzz } from './fuzz-watch.ts'

const SEED = 20
const SCALE = 20_000
const THREADS = 2

test('half a million damaged inputs: every parser answers or throws a typed error', async (context) => {
  let cases = 0
  const failed: string[] = []
  const started = performance.now()
  const parts = Array.from({ length: THREADS }, (_, part) =>
    watchFuzz({ scale: SCALE, seed: SEED, part, of: THREADS }, (report) => {
      cases += report.cases
      const lines = describeTarget(report, SEED)
      if (part === 0) context.diagnostic(lines.join('\n'))
      if (report.failures.length > 0) failed.push(...lines)
    }),
  )
  await Promise.all(parts)
  const seconds = (performance.now() - started) / 1000
  context.diagnostic(`seed ${SEED}: ${cases} cases, ${(cases / seconds).toFixed(0)} a second`)
  assert.deepEqual(failed, [])
  assert.ok(cases > 500_000, `only ${cases} cases`)
})
