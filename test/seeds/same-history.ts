/** One seed, one history: the same seeds in two processes that differ in everything that should not matter. */

import assert from 'node:assert/strict'
import { runPart } from '../soak/part-processes.ts'
import type { PartOptions } from '../soak/part-processes.ts'

/** What should not matter. */
export const ELSEWHERE: PartOptions = {
  env: { TZ: 'America/St_Johns' },
  arguments: ['--max-old-space-size=256', '--max-semi-space-size=1'],
}

export const RUN_SEEDS = new URL('./run-seeds.js', import.meta.url)

/**
 * @param first seed; every `step`th of them after it
 * @throws {AssertionError} the hash of a complete trace differs
 */
export async function checkSameHistories(
  first: number,
  count: number,
  step: number,
  world: 'shard' | 'network' = 'shard',
): Promise<void> {
  const forwards = runPart(RUN_SEEDS, { first, count, step, world, hashes: true }, { env: { TZ: 'Pacific/Auckland' } })
  const last = first + (count - 1) * step
  const backwards = runPart(RUN_SEEDS, { first: last, count, step: -step, world, hashes: true }, ELSEWHERE)
  const [one, other] = await Promise.all([forwards, backwards])
  assert.equal(one.length, count + 1)
  assert.equal(new Set(one.slice(0, -1)).size, count)
  assert.deepEqual(one.slice(0, -1), other.slice(0, -1).reverse())
}
