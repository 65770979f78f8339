import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdHost } from './remote-takeover.ts'
import { REPORTS } from './reports.ts'

for (const [name, { sleeper, other }] of Object.entries(REPORTS)) {
  test(`parts elsewhere, held at every message: ${name}`, async (context) => {
    let [fenced, messages] = [0, 0]
    for (let ended = false; !ended;) {
      const outcome = await holdHost(sleeper, other, ++messages)
      fenced += outcome.fenced
      ended = outcome.ended
    }
    context.diagnostic(`${messages} messages, fenced ${fenced} times`)
    // The shortest is a write: its append, answered, and what of the takeover comes between.
    assert.ok(messages > 5 && fenced > 3)
  })
}
