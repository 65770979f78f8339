/** Runs generated commands under every setting of the table. */

import fc from 'fast-check'
import { commands, runUnder } from './metamorphic.ts'
import { SETTINGS_TABLE } from './settings-table.ts'

// Always the same lists, so that a change is judged by what it changes.
const SEED = 1

export interface SameAnswers {
  readonly runs: number
  readonly commands: number
  readonly retries: number
}

/** @throws where answers differ from the model's: fast-check's report has the seed and the shortest list it found */
export async function checkSameAnswers(numRuns: number): Promise<SameAnswers> {
  let [runs, count, retries] = [0, 0, 0]
  const property = fc.asyncProperty(commands, fc.integer(), async (list, seed) => {
    count += list.length
    for (const [name, settings] of Object.entries(SETTINGS_TABLE)) {
      try {
        retries += await runUnder(settings, list, seed)
      } catch (cause) {
        throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
      }
      runs++
    }
  })
  await fc.assert(property, { numRuns, seed: SEED, includeErrorInReport: true })
  return { runs, commands: count, retries }
}
