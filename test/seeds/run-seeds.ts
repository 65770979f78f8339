/**
 * Runs seeds of the whole system: `node build/test/seeds/run-seeds.js '{"first":1,"count":100}'`.
 *
 * Prints seed and hash of each history where `hashes` is true, and a report as JSON in the last line. What would tell two
 * processes apart, the clock and chance of the system, throws meanwhile.
 */

import { argv, cpuUsage } from 'node:process'
import { runNetworkSeed } from '../network/network-seed.ts'
import { SEED_LENGTH } from './seed-length.ts'
import type { SeedLength } from './seed-length.ts'
import { runSeed } from './seed-run.ts'

interface SeedsRequest {
  readonly first: number
  readonly count: number
  /** Every so many. Default 1. */
  readonly step?: number
  readonly hashes?: boolean
  /** Of one process on one disk, or of a cluster over a network. Default `shard`. */
  readonly world?: 'shard' | 'network'
  readonly length?: SeedLength
}

const {
  first = 1,
  count = 1,
  step = 1,
  hashes = false,
  world = 'shard',
  length = SEED_LENGTH,
} = JSON.parse(argv[2] ?? '{}') as Partial<SeedsRequest>

function forbidden(): never {
  throw new Error('a simulation asks the system for time or chance')
}
Object.assign(Date, { now: forbidden })
Object.assign(Math, { random: forbidden })
Object.assign(performance, { now: forbidden })
Object.assign(globalThis, { setTimeout: forbidden, setInterval: forbidden })

const run = world === 'shard' ? runSeed : runNetworkSeed
const report: Record<string, number> = {}
for (let index = 0; index < count; index++) {
  const seed = first + index * step
  const { hash, faults, ...counts } = await run(seed, length)
  if (hashes) console.log(`${seed} ${hash}`)
  for (const [name, of] of Object.entries({ seeds: 1, ...counts, ...faults })) report[name] = (report[name] ?? 0) + of
}
const { user, system } = cpuUsage()
console.log(JSON.stringify({ ...report, cpuSeconds: (user + system) / 1e6 }))
