/** One process of the error loops: `node build/test/faults/loop-part.js '{"first":0,"step":2}'`. Prints its report. */

import { argv, cpuUsage } from 'node:process'
import { ERRORS } from './error-loop.ts'
import { loopErrors, loopSyncs } from './error-loops.ts'
import type { LoopOptions } from './error-loops.ts'

const {
  first = 0,
  step = 1,
  syncs,
} = JSON.parse(argv[2] ?? '{}') as Partial<LoopOptions> & { readonly syncs?: boolean }
const report =
  syncs === true ? await loopSyncs({ first, step }) : await loopErrors({ first, step, errors: () => ERRORS })
const { user, system } = cpuUsage()
console.log(JSON.stringify({ ...report, cpuSeconds: (user + system) / 1e6 }))
