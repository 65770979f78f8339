/** Seeds of a whole cluster, some of them once more in other processes: always the same ones. `npm run soak` takes others. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ELSEWHERE, RUN_SEEDS } from '../seeds/same-history.ts'
import { runPart, sumsOf } from '../soak/part-processes.ts'
import type { PartReport } from '../soak/part-processes.ts'

const SEEDS = 240
/** Of them, once more. */
const REPEATED = 20
const PROCESSES = [0, 1]

/** What must have gone wrong at some time or other, or these seeds do not show what they should. */
const FAULTS = [
  ...['journal', 'files', 'broker', 'worker 1', 'worker 2'].map((machine) => `kill ${machine}`),
  'powerCut journal',
  'powerCut files',
  'stop',
  'part',
  'part one way',
  ...['drops', 'repeats', 'damages', 'cuts'].map((fault) => `network ${fault}`),
  ...['write', 'read', 'sync', 'open'].map((operation) => `${operation} IO_FAILED`),
  'write NO_SPACE',
  'fenced',
]

test('240 seeds of a cluster whose machines die, sleep and lose each other lose nothing, some of them twice', async (context) => {
  const started = Date.now()
  const count = SEEDS / PROCESSES.length
  const world = 'network'
  const all = await Promise.all(
    PROCESSES.map((part) =>
      runPart(RUN_SEEDS, { first: 1 + part, count, step: PROCESSES.length, world, hashes: true }),
    ),
  )
  // From the last of them back to the first.
  const again = await Promise.all(
    PROCESSES.map((part) =>
      // Of every kind in both processes: a step of five would have all of those that share a log, or none.
      runPart(
        RUN_SEEDS,
        { first: SEEDS - 4 * part, count: REPEATED / PROCESSES.length, step: -21, world, hashes: true },
        ELSEWHERE,
      ),
    ),
  )
  const seconds = (Date.now() - started) / 1000
  const counts = sumsOf(all.map((lines) => JSON.parse(lines.at(-1) ?? '{}') as PartReport))
  context.diagnostic(`${((SEEDS + REPEATED) / seconds).toFixed(1)} seeds/s, ${JSON.stringify(counts)}`)
  for (const fault of FAULTS) assert.ok((counts[fault] ?? 0) > 0, `never: ${fault}`)
  assert.ok((counts['shards'] ?? 0) > SEEDS, 'no two shards share a log')
  const histories = new Set(all.flatMap((lines) => lines.slice(0, -1)))
  const repeated = again.flatMap((lines) => lines.slice(0, -1))
  assert.equal(histories.size, SEEDS)
  assert.equal(new Set(repeated).size, REPEATED)
  for (const history of repeated) assert.ok(histories.has(history), `another history: seed and hash ${history}`)
})
