/** Runs the fuzzer in a thread, and watches it. */

import { Worker } from 'node:worker_threads'
import { fuzzTargets } from './fuzz-targets.ts'
import type { FuzzReport } from './fuzz-run.ts'

export interface FuzzRequest {
  /** Cases of a cheap target; dearer ones take their share of it. */
  readonly scale: number
  readonly seed: number
  /** This one of so many parts. Default: all. */
  readonly part?: number
  readonly of?: number
  /** Only this one. */
  readonly target?: string
  /** Number of the first case, and how many, whatever the scale. */
  readonly first?: number
  readonly count?: number
}

export interface TargetReport extends FuzzReport {
  readonly name: string
  readonly seconds: number
}

// The slowest case takes some 20 ms: this long without a new one is for ever, on any machine.
const SILENT_MS_MAX = 120_000
const LOOK_MS = 1000
const HEAP_MIB_MAX = 768

/**
 * @param sink is told of every target that is done
 * @throws {Error} a case that did not end, or took all memory: names it
 */
export async function watchFuzz(request: FuzzRequest, sink: (report: TargetReport) => void): Promise<void> {
  // Before there is a thread: what it says while nobody listens is lost.
  const names = (await fuzzTargets()).map(({ name }) => name)
  const place = new SharedArrayBuffer(8)
  const at = new Int32Array(place)
  const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), {
    workerData: { request, place },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  })
  const where = (): string =>
    `${names[Atomics.load(at, 0)] ?? 'no target'}, case ${Atomics.load(at, 1)} of seed ${request.seed}`
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', sink)
      worker.once('error', (error) => reject(new Error(`${where()}: ${error.message}`, { cause: error })))
      worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${where()}: the thread ended`))))
      let [last, silentMs] = ['', 0]
      timer = setInterval(() => {
        const now = where()
        silentMs = now === last ? silentMs + LOOK_MS : 0
        last = now
        if (silentMs > SILENT_MS_MAX) reject(new Error(`${now}: it does not end`))
      }, LOOK_MS)
    })
  } finally {
    clearInterval(timer)
    await worker.terminate()
  }
}

/** A line for the report of one target, and how to repeat what failed. */
export function describeTarget(report: TargetReport, seed: number): readonly string[] {
  const { name, cases, accepted, seconds, failures } = report
  const share = ((accepted * 100) / Math.max(1, cases)).toFixed(0)
  return [
    `${name}: ${cases} cases, ${share}% of them a value, ${(cases / seconds).toFixed(0)} a second`,
    ...failures.flatMap(({ number, shortest, reason }) => [
      `  FAILED case ${number}: ${reason}`,
      `  shortest: ${JSON.stringify(shortest)}`,
      `  repeat it: node build/test/fuzz/main.js --target='${name}' --seed=${seed} --case=${number}`,
    ]),
  ]
}
