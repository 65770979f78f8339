import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exhaust } from './protocol.ts'
import { LARGE_WORLDS } from './scenarios.ts'

for (const [name, world] of Object.entries(LARGE_WORLDS)) {
  test(`in every order of protocol steps: ${name}`, async (context) => {
    const found = await exhaust(world)
    context.diagnostic(JSON.stringify(found))
    assert.ok(
      found.schedules > 100 && found.choicesMost >= 9 && found.fenced > 0 && found.acknowledged > found.schedules,
    )
  })
}
