/**
 * Seeds of the whole system, a tenth of them once more in processes that differ in everything that should not matter:
 * always the same ones, so that a change is judged by what it changes. `npm run soak` takes others.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ELSEWHERE, RUN_SEEDS } from './same-history.ts'
import { runPart, sumsOf } from '../soak/part-processes.ts'
import type { PartReport } from '../soak/part-processes.ts'

const SEEDS = 2500
const PROCESSES = [0, 1]

/** What must have gone wrong at some time or other, or these seeds do not show what they should. */
const FAULTS = [
  ...['open', 'write', 'read', 'sync', 'stat', 'link', 'unlink', 'list', 'syncDirectory'].map(
    (operation) => `${operation} IO_FAILED`,
  ),
  'write NO_SPACE',
  'open OUT_OF_FILES',
  'kill',
  'powerCut',
  'takeOver',
  'close',
]

test('2,500 seeds of faults, kills, power cuts and takeovers lose nothing that was acknowledged, a tenth of them twice', async (context) => {
  const started = Date.now()
  const count = SEEDS / PROCESSES.length
  const all = await Promise.all(
    PROCESSES.map((part) => runPart(RUN_SEEDS, { first: 1 + part, count, step: PROCESSES.length, hashes: true })),
  )
  // From the last of them back to the first.
  const again = await Promise.all(
    PROCESSES.map((part) =>
      runPart(RUN_SEEDS, { first: SEEDS - 10 * part, count: count / 10, step: -20, hashes: true }, ELSEWHERE),
    ),
  )
  const seconds = (Date.now() - started) / 1000
  const counts = sumsOf(all.map((lines) => JSON.parse(lines.at(-1) ?? '{}') as PartReport))
  context.diagnostic(`${Math.round((SEEDS * 1.1) / seconds)} seeds/s, ${JSON.stringify(counts)}`)
  for (const fault of FAULTS) assert.ok((counts[fault] ?? 0) > 0, `never: ${fault}`)
  const histories = new Set(all.flatMap((lines) => lines.slice(0, -1)))
  const repeated = again.flatMap((lines) => lines.slice(0, -1))
  assert.equal(histories.size, SEEDS)
  assert.equal(new Set(repeated).size, SEEDS / 10)
  for (const history of repeated) assert.ok(histories.has(history), `another history: seed and hash ${history}`)
})
