/** The machines of a simulated cluster. */

import { Machine } from './machine.ts'
import type { World } from './machine.ts'
import { BROKER, FILES, JOURNAL, randomOf, serveFiles, serveJobs, serveJournal, work } from './services.ts'

export interface Machines {
  readonly journal: Machine
  readonly files: Machine
  readonly broker: Machine
  readonly workers: readonly Machine[]
  /** They do nothing by themselves. */
  readonly hosts: readonly Machine[]
}

export function makeCluster(world: World): Machines {
  const { seed } = world
  return {
    journal: new Machine(world, JOURNAL, (life) => serveJournal(life)),
    files: new Machine(world, FILES, (life) => serveFiles(life, randomOf(life, seed))),
    broker: new Machine(world, BROKER, (life) => serveJobs(life, randomOf(life, seed))),
    workers: [1, 2].map((n) => new Machine(world, `worker ${n}`, (life) => work(life, randomOf(life, seed)))),
    hosts: [1, 2, 3].map((n) => new Machine(world, `host ${n}`, () => Promise.resolve())),
  }
}
