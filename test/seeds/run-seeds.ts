/**
 * Runs seeds of the whole system: `node build/test/seeds/run-seeds.js '{"first":1,"count":100}'`.
 *
 * Prints seed and hash of each history where `hashes` is true, and a report as JSON in the last line. What would tell two
 * processes apart, the clock and chance of the system, throws meanwhile.
 */

import { argv, cpuUsage } from 'node:process'
import { SEED_LENGTH, runSeed } from './seed-run.ts'
import type { SeedLength } from './seed-run.ts'

interface SeedsRequest {
  readonly first: number
  readonly count: number
  /** Every so many. Default 1. */
  readonly step?: number
  readonly hashes?: boolean
  readonly length?: SeedLength
}

const {
  first = 1,
  count = 1,
  step = 1,
  hashes = false,
  length = SEED_LENGTH,
} = JSON.parse(argv[2] ?? '{}') as Partial<SeedsRequest>

function forbidden(): never {
  throw new Error('a simulation asks the system for time or chance')
}
Object.assign(Date, { now: forbidden })
Object.assign(Math, { random: forbidden })
Object.assign(performance, { now: forbidden })
Object.assign(globalThis, { setTimeout: forbidden, setInterval: forbidden })

const report = { seeds: 0, events: 0, writes: 0, rejected: 0, crashes: 0, checked: 0 }
for (let index = 0; index < count; index++) {
  const seed = first + index * step
  const { hash, events, writes, rejected, crashes, checked } = await runSeed(seed, length)
  if (hashes) console.log(`${seed} ${hash}`)
  report.seeds++
  report.events += events
  report.writes += writes
  report.rejected += rejected
  report.crashes += crashes
  report.checked += checked
}
const { user, system } = cpuUsage()
console.log(JSON.stringify({ ...report, cpuSeconds: (user + system) / 1e6 }))
