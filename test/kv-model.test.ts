/**
 * The key-value engine against a sorted map: the same commands, the same answers, whatever is flushed, compacted,
 * reopened or crashed in between.
 */

import { test } from 'node:test'
import fc from 'fast-check'
import { KV_POLICIES } from '../src/engines/kv/settings.ts'
import type { KvPolicy } from '../src/engines/kv/settings.ts'
import { ModelRun, commandLists } from './kv-model-run.ts'
import { TINY_SETTINGS, Simulation } from './simulation.ts'

for (const policy of KV_POLICIES) {
  test(`${policy}: any sequence of writes, reads, flushes, compactions, reopens and crashes answers as a sorted map does`, () =>
    checkRuns([policy], policy === 'leveled' ? 120 : 50))
}

test('the policy may be another whenever the shard is opened', () => checkRuns(KV_POLICIES, 100))

/** @param policies of each opening in turn */
async function checkRuns(policies: readonly KvPolicy[], numRuns: number): Promise<void> {
  const some = fc.shuffledSubarray([...policies], { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(commandLists, fc.integer(), some, async (each, seed, [first = 'leveled', ...others]) => {
      const simulation = await Simulation.start(seed, { ...TINY_SETTINGS, policy: first })
      try {
        await new ModelRun(simulation, [...others, first]).all(each)
      } finally {
        await simulation.stop()
      }
    }),
    { numRuns, includeErrorInReport: true },
  )
}
