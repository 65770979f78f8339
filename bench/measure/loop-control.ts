/** The event loop beside two workers that are merely busy: what of a loop's delay is not the store's doing. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'

const WORKERS = 2
const NS_PER_MS = 1e6
const BUSY = 'for (let value = 1; ; ) value = Math.imul(value, 48271) ^ (value >>> 3)'

/** Turns the loop as `latency` does, without a store. */
export async function loopControl(forMs: number): Promise<Record<string, number>> {
  const workers = Array.from({ length: WORKERS }, () => new Worker(BUSY, { eval: true }))
  const loop = monitorEventLoopDelay({ resolution: 1 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  loop.enable()
  const startMs = performance.now()
  while (performance.now() - startMs < forMs) await new Promise((resolve) => setImmediate(resolve))
  loop.disable()
  await Promise.all(workers.map((worker) => worker.terminate()))
  return {
    loopP99Ms: loop.percentile(99) / NS_PER_MS,
    loopP999Ms: loop.percentile(99.9) / NS_PER_MS,
    loopMaxMs: loop.max / NS_PER_MS,
  }
}
