/**
 * How long the main thread is held between two turns of the event loop.
 *
 * By the clock, other programs on the machine lengthen a turn, and waiting for work does. Processor time has neither, but
 * where the system counts it by ticks of 4 ms a turn may get those of its neighbours. The smaller of the two is an upper
 * bound all the same.
 */

import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { pid } from 'node:process'

const SCHEDSTAT = `/proc/self/task/${pid}/schedstat`
// Below half of the bound nothing is worth listing.
const LISTED_MS_MIN = 5
// The newest turns whose cause is still looked for: the collector reports a little late.
const LISTED_MAX = 2000

/** One long turn. */
export interface LongTurn {
  /** Since the measurement began. */
  readonly atMs: number
  readonly heldMs: number
  readonly wallMs: number
  /** Of it, collecting garbage. */
  collectingMs: number
}

export interface HeldTime {
  readonly turns: number
  /** The longest, in processor time or by the clock, whichever is less. */
  readonly heldMsMost: number
  /** The longest by the clock. */
  readonly wallMsMost: number
  /** By 1 ms: turns that held as long, the last one all that held longer. */
  readonly histogram: readonly number[]
  /** Those that held for more than 5 ms. */
  readonly long: readonly LongTurn[]
}

/** Whether the system tells the processor time of a thread. */
export const canMeasureHeldTime = existsSync(SCHEDSTAT)

/** Measures every turn of the event loop while `work` runs. */
export async function heldWhile(work: () => Promise<void>): Promise<HeldTime> {
  const file = openSync(SCHEDSTAT, 'r')
  const buffer = Buffer.alloc(64)
  const cpuNow = (): number =>
    Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)).split(' ')[0]) / 1e6
  const long: LongTurn[] = []
  const histogram = Array.from({ length: 21 }, () => 0)
  const begun = performance.now()
  const collections = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      const at = startTime - begun
      const turn = long.findLast(({ atMs, wallMs }) => at >= atMs && at < atMs + wallMs)
      if (turn !== undefined) turn.collectingMs += duration
    }
  })
  collections.observe({ entryTypes: ['gc'] })
  let [turns, wallMsMost, heldMsMost, running, cpuLast, wallLast] = [0, 0, 0, true, cpuNow(), begun]
  const probe = (): void => {
    const [cpu, wall] = [cpuNow(), performance.now()]
    const [cpuMs, wallMs] = [cpu - cpuLast, wall - wallLast]
    turns++
    wallMsMost = Math.max(wallMsMost, wallMs)
    const heldMs = Math.min(cpuMs, wallMs)
    heldMsMost = Math.max(heldMsMost, heldMs)
    const bin = Math.min(20, Math.floor(heldMs))
    histogram[bin] = (histogram[bin] as number) + 1
    if (heldMs > LISTED_MS_MIN && long.length < LISTED_MAX) {
      long.push({ atMs: wallLast - begun, heldMs, wallMs, collectingMs: 0 })
    }
    ;[cpuLast, wallLast] = [cpu, wall]
    if (running) setImmediate(probe)
  }
  setImmediate(probe)
  try {
    await work()
  } finally {
    running = false
    await new Promise((resolve) => setTimeout(resolve, 20))
    collections.disconnect()
    closeSync(file)
  }
  return { turns, wallMsMost, heldMsMost, histogram, long }
}
