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
import { loadNative } from '../../src/native/load-native.ts'
import { COMPOSITION_TABLE, DIRECTORY_TABLE } from './composition-table.ts'
import type { Composition } from '../compositions.ts'
import { commands, runUnder } from './metamorphic.ts'

export interface ListsRequest {
  readonly seed: number
  readonly lists: number
  /** Of the one list to run. */
  readonly path?: string
  readonly shrink?: boolean
  /** Over the compositions in directories, not the simulated ones. */
  readonly directories?: boolean
}

export interface SameAnswers {
  readonly runs: number
  readonly commands: number
  readonly retries: number
  /** Of the runs, those in a directory that the addon read and wrote. */
  readonly withAddon: number
}

/** @throws where answers differ from the model's: fast-check's report has seed, path and list */
export async function checkSameAnswers(request: ListsRequest): Promise<SameAnswers> {
  const { seed, lists, path, shrink = false, directories = false } = request
  const compositions = directories ? DIRECTORY_TABLE : COMPOSITION_TABLE
  let [runs, count, retries] = [0, 0, 0]
  const property = fc.asyncProperty(commands, fc.integer(), async (list, chance) => {
    count += list.length
    const run = async (composition: Composition): Promise<void> => {
      try {
        retries += await runUnder(composition, list, chance)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${composition.name}: ${reason}`, { cause })
      }
      runs++
    }
    // Directories wait for the disk more than they compute.
    if (directories) await allOf(compositions.map(run))
    else for (const composition of compositions) await run(composition)
  })
  await fc.assert(property, {
    numRuns: path === undefined ? lists : 1,
    seed,
    ...(path === undefined ? {} : { path }),
    endOnFailure: !shrink,
    includeErrorInReport: true,
  })
  return { runs, commands: count, retries, withAddon: directories && loadNative() !== undefined ? runs : 0 }
}

/** As `Promise.all`, but waits for all of them, so that nothing of a list runs when the next one begins. */
async function allOf(runs: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(runs)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  console.log(JSON.stringify(await checkSameAnswers(JSON.parse(argv[2] ?? '{}') as ListsRequest)))
}
