/**
 * Runs generated commands under every composition of the table:
 * `node build/test/metamorphic/same-answers.js '{"seed":1,"lists":80}'`.
 *
 * Lists are always the same ones of a seed, so that a change is judged by what it changes. The first list that fails ends
 * the run, at once, with its seed and path; given these and `"shrink":true`, the shortest one that fails is looked for.
 */

import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { COMPOSITION_TABLE } from './composition-table.ts'
import { commands, runUnder } from './metamorphic.ts'

export interface ListsRequest {
  readonly seed: number
  readonly lists: number
  /** Of the one list to run. */
  readonly path?: string
  readonly shrink?: boolean
}

export interface SameAnswers {
  readonly runs: number
  readonly commands: number
  readonly retries: number
}

/** @throws where answers differ from the model's: fast-check's report has seed, path and list */
export async function checkSameAnswers({ seed, lists, path, shrink = false }: ListsRequest): Promise<SameAnswers> {
  let [runs, count, retries] = [0, 0, 0]
  const property = fc.asyncProperty(commands, fc.integer(), async (list, chance) => {
    count += list.length
    for (const composition of COMPOSITION_TABLE) {
      try {
        retries += await runUnder(composition, list, chance)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${composition.name}: ${reason}`, { cause })
      }
      runs++
    }
  })
  await fc.assert(property, {
    numRuns: path === undefined ? lists : 1,
    seed,
    ...(path === undefined ? {} : { path }),
    endOnFailure: !shrink,
    includeErrorInReport: true,
  })
  return { runs, commands: count, retries }
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  console.log(JSON.stringify(await checkSameAnswers(JSON.parse(argv[2] ?? '{}') as ListsRequest)))
}
