/**
 * Interleavings of an owner that takes back a write that failed, and may have left all of it, and of a takeover: what the next
 * owner has shown stays, and what was refused is nowhere.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import type { Simulation } from '../simulation.ts'
import { TakeoverWorld } from './takeover.ts'

interface Outcome {
  readonly ended: boolean
  /** Whether the next owner found the write that failed. */
  readonly found: boolean
  /** Whether the former one was told that it was refused. */
  readonly refused: boolean
}

/** The former owner takes so many steps, the next one opens and shows what there is, and both go on. */
async function takeOverAfter(held: number, syncWrite: boolean): Promise<Outcome> {
  let full = false
  let [found, refused] = [false, false]
  const before = ({ operation, path }: DeviceOperation): void => {
    if (full && operation === 'write' && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
  }
  const world = new TakeoverWorld({ syncWrite, failedWrites: 'some', before })
  const former = await world.process(async (simulation) => {
    await simulation.open()
    await world.put(simulation, 'a0')
    full = true
    const put = simulation.db.put(Buffer.from('refused'), Buffer.from('value'), { durability: 'synced' })
    try {
      await put
    } catch (error) {
      full = false
      if (!isCode(error, 'NO_SPACE')) throw error
      refused = true
    }
    await world.put(simulation, 'a1')
  })
  await former.steps(held)
  const ended = !former.running
  full = false
  const get = async ({ db }: Simulation): Promise<boolean> => (await db.get(Buffer.from('refused'))) !== undefined
  const next = await world.process(async (simulation) => {
    await simulation.open()
    found = await get(simulation)
    await world.put(simulation, 'b0')
    // What a reader was shown is as good as acknowledged.
    if (found) world.acknowledged.push('refused')
  })
  await world.finish(next, former)
  await world.check(`held after ${held} steps`)
  assert.ok(!(found && refused), `held after ${held} steps: what was refused is there`)
  return { ended, found, refused }
}

for (const syncWrite of [true, false]) {
  const how = syncWrite ? 'writes at once' : 'waits for its writes'
  // JOURNAL_CORRUPT for the next owner, or NO_SPACE for a write that it had found.
  test(`an owner that ${how} and sleeps while it takes back a write takes nothing from the next one`, async (context) => {
    const counts = { found: 0, refused: 0 }
    for (let held = 0; ; held++) {
      const { ended, found, refused } = await takeOverAfter(held, syncWrite)
      if (found) counts.found++
      if (refused) counts.refused++
      if (ended) break
    }
    context.diagnostic(JSON.stringify(counts))
    assert.ok(counts.found > 0 && counts.refused > 0)
  })
}
