/** The thread that runs cases: one that never ends, or takes all memory, ends with its thread and not with the test. */

import { parentPort, workerData } from 'node:worker_threads'
import { FuzzRun } from './fuzz-run.ts'
import { fuzzTargets } from './fuzz-targets.ts'
import type { FuzzRequest, TargetReport } from './fuzz-watch.ts'

const { request, place } = workerData as { readonly request: FuzzRequest; readonly place: SharedArrayBuffer }
const { scale, seed, part = 0, of = 1, target: wanted, first = 0, count } = request
const at = new Int32Array(place)
const targets = await fuzzTargets()

for (const [index, target] of targets.entries()) {
  if (wanted !== undefined && target.name !== wanted) continue
  const cases = count ?? Math.ceil((scale * (target.share ?? 1000)) / 1000)
  const mine = Math.ceil(cases / of)
  Atomics.store(at, 0, index)
  const started = performance.now()
  const report = await new FuzzRun(target).run(
    seed,
    first + part * mine,
    mine,
    (number) => void Atomics.store(at, 1, number),
  )
  const seconds = (performance.now() - started) / 1000
  parentPort?.postMessage({ name: target.name, seconds, ...report } satisfies TargetReport)
}
if (wanted !== undefined && !targets.some(({ name }) => name === wanted))
  throw new Error(`there is no target ${wanted}: ${targets.map(({ name }) => name).join('; ')}`)
