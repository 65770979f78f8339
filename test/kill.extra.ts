import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killLoop } from './kill/kill-loop.ts'

// Several databases at a time: a process that opens one waits more than it computes.
const LOOPS = [
  { means: 'kill', kills: 115, seed: 1 },
  { means: 'kill', kills: 110, seed: 2 },
  { means: 'power cut', kills: 75, seed: 3 },
] as const

test('300 kills, a quarter of them with what was not synced lost, lose nothing that was acknowledged', async (context) => {
  const reports = await Promise.all(
    LOOPS.map(async ({ means, kills, seed }) => {
      const { acknowledged, killedWhileOpening } = await killLoop(kills, seed, means)
      context.diagnostic(
        `${means}, seed ${seed}: ${kills} kills, ${killedWhileOpening} while opening; batch ${acknowledged} was the last acknowledged`,
      )
      return { means, acknowledged, killedWhileOpening }
    }),
  )
  for (const { means, acknowledged, killedWhileOpening } of reports)
    assert.ok(acknowledged > 15 && killedWhileOpening > 0, `${means}: the test does not test`)
})
