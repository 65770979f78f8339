/**
 * Interleavings of the commit and fencing protocol. What other engines lost to it is here by the name of its report:
 * SlateDB #352, #1622 and #1682 (a writer that slept through a takeover and the garbage collection behind it was
 * acknowledged), and what BookKeeper fences two ledgers for (a writer that has begun the next one when it is fenced).
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TakeoverWorld } from './takeover.ts'

for (const syncWrite of [true, false]) {
  const how = syncWrite ? 'writes at once' : 'waits for its writes'
  // SlateDB #352, #1622, #1682; BookKeeper's two ledgers: the owner is held at each step, rotations of the journal included.
  test(`an owner that ${how} and sleeps at any step through a takeover, flushes and collection loses nothing that it is told of`, async (context) => {
    let fenced = 0
    let held = 0
    for (; ; held += 2) {
      const world = new TakeoverWorld({ syncWrite })
      const sleeper = await world.owner('a')
      await sleeper.steps(held)
      const ended = !sleeper.running
      const other = await world.owner('b')
      await world.finish(other, sleeper)
      await world.check(`held after ${held} steps`)
      fenced += world.fenced
      if (ended) break
    }
    context.diagnostic(`${held} steps, fenced ${fenced} times`)
    assert.ok(held > 50 && fenced > 10)
  })
}

test('two owners that hold each other up at any two steps lose nothing that either is told of', async () => {
  let runs = 0
  for (let held = 0; held < 120; held += 9) {
    for (let steps = 1; steps < 90; steps += 11) {
      const world = new TakeoverWorld({ syncWrite: runs % 2 === 0 })
      const [first, second] = [await world.owner('a'), await world.owner('b')]
      await first.steps(held)
      await second.steps(steps)
      await world.finish(first, second)
      await world.check(`${held} steps, then ${steps}`)
      runs++
    }
  }
  assert.ok(runs > 100)
})

test('a reader that sleeps at any step while owners come and go finds no hole, and nothing that is missing', async () => {
  for (let held = 0; ; held++) {
    const world = new TakeoverWorld({})
    await world.finish(await world.owner('a'))
    const reader = await world.reader()
    await reader.steps(held)
    const ended = !reader.running
    await world.finish(await world.owner('b'), reader)
    await world.check(`held after ${held} steps`)
    if (ended) break
  }
})
