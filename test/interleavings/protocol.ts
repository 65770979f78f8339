/** The steps of the protocol by which a shard is owned, and small worlds of processes that take all of them in every order. */

import type { OperationName } from '../../src/testing/device-operation.ts'
import type { Simulation } from '../simulation.ts'
import { allSchedules, runSchedule } from './all-schedules.ts'
import type { Schedules } from './all-schedules.ts'
import { TakeoverWorld } from './takeover.ts'

const OPERATIONS: readonly OperationName[] = ['link', 'open', 'write', 'read', 'sync', 'list', 'unlink']

/** Operations by which one process finds out what another has done, or makes it known: between others nothing can change. */
export type ProtocolStep =
  'commit' | 'raise fence' | 'append' | 'check fence' | 'sync log' | 'scan log' | 'remove table'

const STEPS: Readonly<Record<ProtocolStep, readonly [OperationName, RegExp]>> = {
  commit: ['link', /^heads\/main\.head/],
  'raise fence': ['sync', /^journal\/main\/fence/],
  append: ['write', /^journal\/.*\.log$/],
  'check fence': ['read', /^journal\/main\/fence/],
  'sync log': ['sync', /^journal\/.*\.log$/],
  'scan log': ['list', /^journal\/main$/],
  'remove table': ['unlink', /^files\/.*\.table$/],
}

/** What a process does. From `begin` on others may come in between. */
export type Work = (world: TakeoverWorld, simulation: Simulation, begin: () => Promise<void>) => Promise<void>

export interface ProtocolWorld {
  readonly steps: readonly ProtocolStep[]
  readonly works: readonly Work[]
  /** Another process, that only reads. */
  readonly reader?: boolean
}

export interface Exhausted extends Schedules {
  /** Of all schedules: how often somebody was told of another owner, or that a write is durable. */
  readonly fenced: number
  readonly acknowledged: number
}

/** Runs every schedule. @throws where one of them loses what somebody was told of, or somebody finds damage */
export async function exhaust({ steps, works, reader }: ProtocolWorld): Promise<Exhausted> {
  const chosen = steps.map((step) => STEPS[step])
  let [fenced, acknowledged] = [0, 0]
  const schedules = await allSchedules(async (choose) => {
    let begun = false
    const world = new TakeoverWorld(
      // Everything waits: what is synchronous takes no step.
      { syncRead: false, syncWrite: false },
      OPERATIONS,
      (operation, path) => begun && chosen.some(([name, pattern]) => name === operation && pattern.test(path)),
    )
    const processes = []
    for (const work of works) {
      const process = await world.process((simulation, begin) => work(world, simulation, begin))
      while (process.running && !process.waits) await world.turn()
      processes.push(process)
    }
    if (reader === true) processes.push(await world.reader('after a step'))
    begun = true
    await runSchedule(processes, choose, () => world.turn())
    await world.check('at the end')
    fenced += world.fenced
    acknowledged += world.acknowledged.length
  })
  return { ...schedules, fenced, acknowledged }
}
