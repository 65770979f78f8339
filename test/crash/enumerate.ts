/**
 * One process of crash-point enumeration: `node build/test/crash/enumerate.js '{"part":0,"of":2,"lengthMax":3}'`.
 *
 * `{"workload":"put flush"}` repeats one workload. Prints its report as JSON, in the last line.
 */

import { argv, cpuUsage } from 'node:process'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { OPERATIONS, workloads } from './alphabet.ts'
import type { Operation, Workload } from './alphabet.ts'
import { CrashEnumeration } from './crash-enumeration.ts'
import { baseImage } from './crash-simulation.ts'

export interface EnumerateRequest {
  /** Repeats this one: names with blanks between. */
  readonly workload?: string
  /** This process does one in `of` of the workloads. Default: all. */
  readonly part?: number
  readonly of?: number
  /** Default 1 and 1. */
  readonly lengthMin?: number
  readonly lengthMax?: number
  /** Takes one workload in so many, of all first and second operations. Default 1. */
  readonly oneIn?: number
  /** Long random workloads instead of all short ones. */
  readonly long?: number
  /** Begin with no database at all. */
  readonly empty?: boolean
  readonly seed?: number
  readonly depth?: number
  readonly recrashOneOf?: number
}

const request = JSON.parse(argv[2] ?? '{}') as EnumerateRequest
const { part = 0, of = 1, seed = 1, depth = 1, recrashOneOf = 1 } = request

// The states of two workloads that begin alike are mostly the same: they belong to one process.
function* chosen(): Generator<Workload> {
  const { workload, long, lengthMin = 1, lengthMax = 1, oneIn = 1 } = request
  if (workload !== undefined) yield workload.split(' ') as Operation[]
  else if (long !== undefined) {
    for (let index = part; index < long; index += of) yield longWorkload(seed + index)
  } else {
    for (const each of workloads(lengthMin, lengthMax)) {
      const [first, second = 0] = each.map((operation) => OPERATIONS.indexOf(operation)) as [number, number?]
      if (first % of === part && (first + second) % oneIn === 0) yield each
    }
  }
}

function longWorkload(workloadSeed: number): Workload {
  const random = new SeededRandom(workloadSeed)
  return Array.from({ length: 8 }, () => OPERATIONS[random.below(OPERATIONS.length)] as Operation)
}

const base = request.empty === true ? { image: undefined, state: new Map<string, string>() } : await baseImage()
const enumeration = new CrashEnumeration(base, { seed, depth, recrashOneOf })
for (const workload of chosen()) await enumeration.run(workload)
const { user, system } = cpuUsage()
console.log(JSON.stringify({ ...enumeration.report, cpuSeconds: (user + system) / 1e6 }))
