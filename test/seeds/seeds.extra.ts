/**
 * Seeds of the whole system, a tenth of them twice: always the same ones, so that a change is judged by what it changes.
 * `npm run soak` takes others.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runParts } from '../soak/part-processes.ts'
import { checkSameHistories } from './same-history.ts'

const RUN_SEEDS = new URL('./run-seeds.js', import.meta.url)
const SEEDS = 500

test('500 seeds of faults, kills, power cuts and takeovers lose nothing that was acknowledged', async (context) => {
  const started = Date.now()
  const first = 1
  const report = await runParts(RUN_SEEDS, [
    { first, count: SEEDS / 2, step: 2 },
    { first: first + 1, count: SEEDS / 2, step: 2 },
  ])
  const rate = Math.round((SEEDS * 1000) / (Date.now() - started))
  context.diagnostic(`${rate} seeds/s, ${JSON.stringify(report)}`)
  assert.equal(report['seeds'], SEEDS)
})

test('a tenth of as many seeds have the same history in two processes', () => checkSameHistories(1, SEEDS / 10, 10))
