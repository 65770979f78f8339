/**
 * Latency at a fixed offered rate.
 *
 * Operations become due by the clock, whether or not earlier ones have been answered, and a latency counts from when the
 * operation was due ("coordinated omission", Gil Tene). Puts go over existing keys, which keeps flushes and compactions
 * going. The same is offered for a while before anything is measured: a store's first second, with its code not compiled
 * and its cache empty, is another question. Beside it runs a probe of the event loop.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Chunk } from '../data/chunk.ts'
import { Permutation } from '../data/permutation.ts'
import { SeededNumbers, mix } from '../data/random.ts'
import { Histogram } from '../measure/histogram.ts'
import { ownerFingerprint } from './mixed.ts'
import { inFlight } from './pace.ts'
import type { Run, Workload } from './workload.ts'

const GET_SEED = 43
const PUT_SEED = 47
const FIRST_VERSION = 2
const PROBE_LANES = 100
/** Of the time, for finding the peak. */
const PROBE_SHARE = 0.2
/** And for what is offered before it is measured. */
const WARM_SHARE = 0.3
/** A million keys are worth ten seconds; a smoke run is over at once. */
const KEYS_PER_MS = 100
const TIME_MS_MIN = 100
const FIXED_PER_SECOND = 20_000
/** What is late is not caught up with in one turn of the event loop: no program that serves others does that. */
const ISSUED_PER_TURN_MAX = 1000
/** Above this nothing more is issued; what is late by then is late already. */
const OUTSTANDING_MAX = 50_000
const NS_PER_MS = 1e6

/** Puts over existing keys, none again before all others: their order among each other is nobody's promise. */
class Overwrites {
  readonly #order: Permutation
  readonly #run: Run
  #count = 0

  constructor(run: Run) {
    this.#run = run
    this.#order = new Permutation(run.keys, PUT_SEED)
  }

  next(chunk: Chunk, at: number): void {
    const index = this.#order.at(this.#count % this.#run.keys)
    const version = FIRST_VERSION + this.#count++
    chunk.setEntry(at, index, version)
    this.#run.model.versions[index] = version
  }
}

/** What is offered. */
interface Offer {
  readonly perSecond: number
  readonly forMs: number
  /** Every second operation is a get. */
  readonly gets: boolean
}

/** @param perSecond undefined: half of the peak of puts */
async function latency(run: Run, perSecond: number | undefined, gets: boolean): Promise<void> {
  const overwrites = new Overwrites(run)
  const forMs = Math.min(run.budgetMs, Math.max(TIME_MS_MIN, run.keys / KEYS_PER_MS))
  const probeMs = perSecond === undefined ? forMs * PROBE_SHARE : 0
  const offered = perSecond ?? (await peak(run, overwrites, probeMs)) / 2
  const warmMs = forMs * WARM_SHARE
  await offer(run, overwrites, { perSecond: offered, forMs: warmMs, gets }, new Histogram(), new Histogram())
  const [putTimes, getTimes] = [new Histogram(), new Histogram()]
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  run.stopwatch.start()
  const measured = { perSecond: offered, forMs: forMs - probeMs - warmMs, gets }
  run.done = await offer(run, overwrites, measured, putTimes, getTimes)
  run.stopwatch.stop()
  loop.disable()
  Object.assign(run.figures, {
    offeredPerSecond: Math.round(offered),
    ...quantiles('put', putTimes),
    ...(gets ? quantiles('get', getTimes) : {}),
    loopP99Ms: loop.percentile(99) / NS_PER_MS,
    loopP999Ms: loop.percentile(99.9) / NS_PER_MS,
    loopMaxMs: loop.max / NS_PER_MS,
  })
}

function quantiles(name: string, histogram: Histogram): Record<string, number> {
  return {
    [`${name}P50Ms`]: histogram.quantileMs(0.5),
    [`${name}P90Ms`]: histogram.quantileMs(0.9),
    [`${name}P99Ms`]: histogram.quantileMs(0.99),
    [`${name}P999Ms`]: histogram.quantileMs(0.999),
    [`${name}P9999Ms`]: histogram.quantileMs(0.9999),
    [`${name}MaxMs`]: histogram.maxMs,
  }
}

/** Gives the number of operations, all of them answered. */
async function offer(
  run: Run,
  overwrites: Overwrites,
  { perSecond, forMs, gets }: Offer,
  putTimes: Histogram,
  getTimes: Histogram,
): Promise<number> {
  const { store, values, seen, wanted } = run
  const chunk = new Chunk(values)
  const random = new SeededNumbers(GET_SEED)
  const total = Math.max(2, Math.floor((perSecond * forMs) / 1000))
  const startMs = performance.now()
  let [issued, answered] = [0, 0]
  let failure: Error | undefined

  const perform = async (operation: number): Promise<void> => {
    const dueMs = startMs + (operation / perSecond) * 1000
    const at = operation % chunk.size
    if (!gets || operation % 2 === 0) {
      overwrites.next(chunk, at)
      await store.put(chunk.keys[at] as Buffer, chunk.values[at] as Buffer)
      putTimes.add(performance.now() - dueMs)
    } else {
      const index = random.below(run.keys)
      chunk.setKey(at, index)
      const value = await store.get(chunk.keys[at] as Buffer)
      getTimes.add(performance.now() - dueMs)
      seen.add(ownerFingerprint(values, value))
      wanted.add(mix(index))
    }
    answered++
  }

  while (answered < total && failure === undefined) {
    const due = Math.min(total, Math.ceil(((performance.now() - startMs) / 1000) * perSecond))
    const limit = Math.min(due, issued + ISSUED_PER_TURN_MAX)
    for (; issued < limit && issued - answered < OUTSTANDING_MAX; issued++) {
      perform(issued).catch((error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error))
      })
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (failure !== undefined) throw failure
  return total
}

/** Puts a second with 100 in flight. */
async function peak(run: Run, overwrites: Overwrites, forMs: number): Promise<number> {
  const chunk = new Chunk(run.values)
  const operation = (at: number): unknown => run.store.put(chunk.keys[at] as Buffer, chunk.values[at] as Buffer)
  const startMs = performance.now()
  let [measuredMs, done] = [0, 0]
  while (performance.now() - startMs < forMs) {
    for (let at = 0; at < chunk.size; at++) overwrites.next(chunk, at)
    const chunkMs = performance.now()
    // The stopwatch stands still and so never stops this: what the model was told must be written.
    done += await inFlight(run.stopwatch, chunk.size, PROBE_LANES, operation)
    measuredMs += performance.now() - chunkMs
  }
  return done / (measuredMs / 1000)
}

function offering(name: string, title: string, perSecond: number | undefined, gets: boolean): Workload {
  return {
    name: `latency/${name}`,
    title,
    unit: 'operations/s',
    data: 'copy',
    agrees: false,
    operations: () => 1,
    run: (run) => latency(run, perSecond, gets),
  }
}

export const LATENCY_WORKLOADS: readonly Workload[] = [
  offering('fixed', `puts and gets, ${FIXED_PER_SECOND} offered a second`, FIXED_PER_SECOND, true),
  offering('half', 'puts, half of the peer’s own peak offered', undefined, false),
]
