/**
 * Crash-point enumeration: every fourth of the 1,110 workloads of up to three operations, and 6 long ones. All of them:
 * `npm run soak -- 0 --crash`.
 */

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { runParts } from '../soak/part-processes.ts'

const ENUMERATE = new URL('./enumerate.js', import.meta.url)
const SEED = 1
const ONE_IN = 4
const LONG = 6
const parts = Math.max(2, Math.min(10, availableParallelism()))

test('a quarter of all workloads, every prefix of disk operations, every crash policy', async (context) => {
  const requests = Array.from({ length: parts }, (_, part) => ({
    part,
    of: parts,
    oneIn: ONE_IN,
    lengthMax: 3,
    seed: SEED,
    depth: 2,
    recrashOneOf: 1000,
  }))
  const report = await runParts(ENUMERATE, requests)
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(report)}`)
  assert.ok((report['workloads'] as number) >= 1110 / ONE_IN - parts)
  assert.ok((report['distinct'] as number) > 3000 && (report['recrashed'] as number) > 200)
})

test(`${LONG} long workloads from seeds, and short ones on a database that is being made`, async (context) => {
  const seed = 1000
  const requests: object[] = Array.from({ length: parts }, (_, part) => ({ part, of: parts, long: LONG, seed }))
  requests.push({ lengthMax: 1, empty: true })
  const report = await runParts(ENUMERATE, requests)
  context.diagnostic(`seeds ${seed} to ${seed + LONG - 1}: ${JSON.stringify(report)}`)
  assert.equal(report['workloads'], LONG + 10)
})
