/**
 * Runs tasks on one peer, in a process of its own, and checks what came out.
 *
 *      node peer-process.js <tasks as JSON>
 */

import { argv, exit } from 'node:process'
import { Digest, Model } from './data/model.ts'
import { Values } from './data/values.ts'
import { diskUsageBytes } from './measure/disk-usage.ts'
import { ProcessMeter } from './measure/process-meter.ts'
import { Stopwatch } from './measure/stopwatch.ts'
import type { Peer, Store, StoreOptions } from './peers/peer.ts'
import { peerNamed } from './peers/peer-table.ts'
import { layOut } from './lay-out.ts'
import type { Message, Outcome, Task, TaskEnd } from './task.ts'
import { workloadNamed } from './workloads/workload-table.ts'
import type { Run, Workload } from './workloads/workload.ts'
import { visitor } from './workloads/scans.ts'
import { fill, randomOrder } from './workloads/writes.ts'

/** Batches that fill prepared data. */
const PREPARE_BATCH = 100
const PROGRESS_EVERY_MS = 500

/** Prepares data; not measured against anyone, but its figures say what filling and compacting cost. */
const PREPARE: Workload = {
  name: 'prepare',
  title: 'fill and compact',
  unit: 'entries/s',
  data: 'empty',
  operations: (keys) => keys,
  run: async (run) => {
    await fill(run, randomOrder(run.keys), PREPARE_BATCH)
    const startMs = performance.now()
    await run.store.compact()
    run.figures['compactMs'] = Math.round(performance.now() - startMs)
  },
}

async function execute(task: Task): Promise<Outcome> {
  const peer = peerNamed(task.peer)
  const workload = task.workload === 'prepare' ? PREPARE : workloadNamed(task.workload)
  const options: StoreOptions = { cacheBytes: task.cacheBytes, synced: workload.synced === true }
  await layOut(task)
  const meter = new ProcessMeter()
  const openMs = performance.now()
  let store = await peer.open(task.directory, options)
  const figures: Record<string, number> = { openMs: round(performance.now() - openMs) }

  const run = makeRun(task, workload, store, figures)
  if (workload.data !== 'empty') {
    run.model.fill(run.keys)
    if (!peer.persists) await fillFirst(run)
  }
  await workload.run(run)
  const { elapsedMs } = run.stopwatch
  const closeMs = performance.now()
  let [digest, wanted] = [run.seen.toString(), run.wanted.toString()]
  if (workload.data !== 'prepared') {
    if (peer.persists) {
      await store.close()
      figures['closeMs'] = round(performance.now() - closeMs)
      Object.assign(figures, meter.figures(), { diskBytes: diskUsageBytes(task.directory) })
      store = await peer.open(task.directory, options)
    }
    const held = new Digest()
    await store.scan({ reverse: false, limit: Infinity }, visitor({ values: run.values, seen: held }))
    digest += ` ${held.toString()}`
    wanted += ` ${run.model.scan().toString()}`
  }
  await store.close()
  return {
    operations: run.done,
    elapsedMs,
    digest,
    wanted,
    figures: { ...meter.figures(), ...figures },
    settings: peer.settings(options),
  }
}

function makeRun(task: Task, workload: Workload, store: Store, figures: Record<string, number>): Run {
  const values = new Values(task.valueBytes, { whole: task.whole })
  const operations = workload.operations(task.keys)
  let toldMs = 0
  return {
    store,
    keys: task.keys,
    operations,
    values,
    model: new Model(task.keys * 2, values),
    seen: new Digest(),
    wanted: new Digest(),
    stopwatch: new Stopwatch(task.workload === 'prepare' ? Infinity : task.budgetMs),
    budgetMs: task.budgetMs,
    figures,
    done: 0,
    progress() {
      if (performance.now() - toldMs < PROGRESS_EVERY_MS) return
      toldMs = performance.now()
      tell({ type: 'progress', done: this.done, operations })
    },
  }
}

/** What a peer that forgets must hold before it can be read. */
async function fillFirst(run: Run): Promise<void> {
  const filling: Run = { ...run, operations: run.keys, stopwatch: new Stopwatch(Infinity), done: 0 }
  await fill(filling, randomOrder(run.keys), PREPARE_BATCH)
  await run.store.compact()
}

/** Why the peer cannot do what the task asks; undefined where it can. */
function inability(peer: Peer, task: Task): string | undefined {
  const needs = task.workload === 'prepare' ? undefined : workloadNamed(task.workload).needs
  return needs === undefined || peer.supports[needs] ? undefined : `has no ${needs}`
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}

function tell(message: Message, then: () => void = () => undefined): void {
  if (process.send === undefined) {
    console.log(JSON.stringify(message))
    then()
  } else process.send(message, undefined, {}, then)
}

async function endOf(task: Task): Promise<TaskEnd> {
  try {
    const reason = inability(peerNamed(task.peer), task)
    return reason === undefined ? { type: 'outcome', outcome: await execute(task) } : { type: 'unable', reason }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      return { type: 'unable', reason: 'is not installed' }
    }
    return { type: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

for (const task of JSON.parse(argv[2] ?? '') as Task[]) {
  const end = await endOf(task)
  await new Promise<void>((resolve) => tell({ type: 'end', end }, resolve))
}
// A peer may leave threads or timers behind; the process ends when its answers are out.
exit(0)
