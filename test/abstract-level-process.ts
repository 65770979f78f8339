/** abstract-level's suite over the composition that the argument names: prints a report, or fails with what failed. */

import { argv } from 'node:process'
import type { OpenShard } from '../src/engines/level/level.ts'
import { open } from '../src/local.ts'
import { passSuite } from './abstract-level-run.ts'
import { compositionNamed } from './compositions.ts'
import type { Composition } from './compositions.ts'
import { FlushingLevel } from './flushing-level.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

export interface LevelReport {
  readonly assertions: number
  readonly flushes: number
  readonly compactions: number
  /** Or only one in DATABASES_PER_FLUSHED_WITH_THREADS has its writes flushed. */
  readonly everyDatabase: boolean
}

// A flush starts the worker threads of its database, which costs tens of milliseconds.
const DATABASES_PER_FLUSHED_WITH_THREADS = 16

console.log(JSON.stringify(await runOver(compositionNamed(argv[2]))))

async function runOver(composition: Composition): Promise<LevelReport> {
  const { local, syncReads = true } = composition
  const everyDatabase = local === undefined || local.jobs === 'inline'
  const totals = { flushes: 0, compactions: 0 }
  let databases = 0
  const assertions = await passSuite((location, options) => {
    const index = databases++
    const openShard = shardOpener(composition, index)
    const flushes = everyDatabase || index % DATABASES_PER_FLUSHED_WITH_THREADS === 0
    return new FlushingLevel(location, options, { openShard, totals, flushes, syncReads })
  })
  return { assertions, ...totals, everyDatabase }
}

/** Opens the same database every time. */
function shardOpener({ local, device, composer, settings: own }: Composition, seed: number): OpenShard {
  const settings = { ...TINY_SETTINGS, ...own }
  if (local !== undefined) return (location, options) => open(location, { ...options, ...local, settings })
  const simulation = new Simulation(seed, settings, device)
  if (composer !== undefined) simulation.composer = composer(seed)
  return async (_location, options) => {
    await simulation.open(options)
    return simulation.db
  }
}
