/** A whole cluster under a few seeds; more of them in network-seeds.extra.ts, all you like with `npm run soak -- N --network`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSameHistories } from '../seeds/same-history.ts'
import { runNetworkSeed } from './network-seed.ts'

test('over a network that fails, hosts, services and workers die and sleep, and no acknowledged write is lost', async (context) => {
  let [rejected, events, fenced] = [0, 0, 0]
  // A compaction that failed for ever held writes of a host that had been replaced; a file that was missing was damage to it.
  for (const seed of [14, 63, 72]) {
    const report = await runNetworkSeed(seed)
    rejected += report.rejected
    events += report.events
    fenced += report.faults['fenced'] ?? 0
  }
  context.diagnostic(`${events} events, ${rejected} calls rejected, ${fenced} of them with FENCED`)
  assert.ok(rejected > 10 && fenced > 0)
})

test('one seed of a cluster is one history, in two processes of another time zone, heap and order of seeds', () =>
  checkSameHistories(1, 2, 1, 'network'))
