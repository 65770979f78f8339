/** The machines of a simulated cluster. */

import { Machine } from './machine.ts'
import type { World } from './machine.ts'
import {
  BROKER,
  FILES,
  JOURNAL,
  randomOf,
  serveFiles,
  serveJobs,
  serveJournal,
  serveSharedJournal,
  work,
} from './services.ts'

export interface Machines {
  readonly journal: Machine
  readonly files: Machine
  readonly broker: Machine
  readonly workers: readonly Machine[]
  /** Of each shard; they do nothing by themselves. */
  readonly hosts: readonly (readonly Machine[])[]
}

/** @param shards where it is more than one, their journals share a log */
export function makeCluster(world: World, shards: number): Machines {
  const { seed } = world
  return {
    journal: new Machine(world, JOURNAL, (life) =>
      shards > 1 ? serveSharedJournal(life, randomOf(life, seed)) : serveJournal(life, randomOf(life, seed)),
    ),
    files: new Machine(world, FILES, (life) => serveFiles(life, randomOf(life, seed))),
    broker: new Machine(world, BROKER, (life) => serveJobs(life, randomOf(life, seed))),
    workers: [1, 2].map((n) => new Machine(world, `worker ${n}`, (life) => work(life, randomOf(life, seed)))),
    hosts: Array.from({ length: shards }, (_, shard) =>
      [1, 2, 3].map((n) => new Machine(world, `host ${3 * shard + n}`, () => Promise.resolve())),
    ),
  }
}
