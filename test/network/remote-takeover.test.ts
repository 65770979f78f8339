/**
 * What SlateDB lost to its fencing protocol, by the numbers of its reports, where all parts of a shard are elsewhere: one host
 * is held at a message, as a process that is not given the processor, while another one does what the report says.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdHost } from './remote-takeover.ts'
import { REPORTS } from './reports.ts'

for (const [name, { sleeper, other }] of Object.entries(REPORTS)) {
  test(`parts elsewhere: ${name}`, async () => {
    let fenced = 0
    // Some of the messages; all of them in remote-takeover.extra.ts.
    for (const messages of [1, 2, 4, 7, 11, 16, 22]) fenced += (await holdHost(sleeper, other, messages)).fenced
    assert.ok(fenced > 0)
  })
}
