/** Threads that do nothing but work, as an engine's would: the control has them, so that the machine is as busy. */

import { Worker } from 'node:worker_threads'

// Merges, roughly: it fills memory and sorts it, and leaves garbage behind.
const WORK = `
  let state = 1
  for (;;) {
    const numbers = new Float64Array(1 << 16)
    for (let index = 0; index < numbers.length; index++) numbers[index] = state = (state * 48271) % 2147483647
    numbers.sort()
    Array.from({ length: 1000 }, (_, index) => ({ index, slice: numbers.slice(index, index + 16) }))
  }
`

/** Runs `work` while `count` threads are busy. */
export async function besideBusyWorkers<Result>(count: number, work: () => Promise<Result>): Promise<Result> {
  const workers = Array.from({ length: count }, () => new Worker(WORK, { eval: true }))
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))))
  try {
    return await work()
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
