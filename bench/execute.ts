/** Runs one task on a peer, in this process, and checks what came out against the model. */

import { KEY_BYTES } from './data/keys.ts'
import { Digest, Model } from './data/model.ts'
import { Values } from './data/values.ts'
import { layOut } from './lay-out.ts'
import { diskUsageBytes } from './measure/disk-usage.ts'
import { ProcessMeter } from './measure/process-meter.ts'
import { Stopwatch } from './measure/stopwatch.ts'
import type { Peer, Store, StoreOptions } from './peers/peer.ts'
import type { Outcome, Task } from './task.ts'
import { RECOVER } from './workloads/opening.ts'
import { visitor } from './workloads/scans.ts'
import type { Run, Workload } from './workloads/workload.ts'
import { workloadNamed } from './workloads/workload-table.ts'
import { fill, randomOrder } from './workloads/writes.ts'

/** Batches that fill prepared data. */
const PREPARE_BATCH = 100
const CAPACITY = 1.1
const CAPACITY_MIN = 100
const PROGRESS_EVERY_MS = 500

export type Progress = (done: number, operations: number) => void

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

/** `progress` is told how many operations of how many are done, not too often. */
export async function execute(task: Task, peer: Peer, progress: Progress): Promise<Outcome> {
  const workload = task.workload === 'prepare' ? PREPARE : workloadNamed(task.workload)
  const options: StoreOptions = { cacheBytes: task.cacheBytes, synced: workload.synced === true }
  // What is to be recovered has been laid out, and left, by the process that was killed.
  if (task.workload !== RECOVER) await layOut(task)
  const meter = new ProcessMeter()
  const openMs = performance.now()
  let store = await peer.open(task.directory, options)
  const figures: Record<string, number> = { openMs: round(performance.now() - openMs) }

  const run = makeRun(task, workload, store, figures, progress)
  if (workload.data !== 'empty') {
    run.model.fill(run.keys)
    if (!peer.persists) await fillFirst(run)
  }
  await workload.run(run)
  const { elapsedMs, processorMs } = run.stopwatch
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
    figures: {
      ...meter.figures(),
      ...figures,
      measuredCpuMs: round(processorMs),
      dataBytes: run.done * (KEY_BYTES + task.valueBytes),
    },
    settings: peer.settings(options),
  }
}

function makeRun(
  task: Task,
  workload: Workload,
  store: Store,
  figures: Record<string, number>,
  progress: Progress,
): Run {
  const values = new Values(task.valueBytes, { whole: task.whole })
  const operations = workload.operations(task.keys)
  let toldMs = 0
  return {
    store,
    keys: task.keys,
    operations,
    values,
    // Some workloads insert, a twentieth of a quarter at the most.
    model: new Model(Math.ceil(task.keys * CAPACITY) + CAPACITY_MIN, values),
    seen: new Digest(),
    wanted: new Digest(),
    stopwatch: new Stopwatch(task.workload === 'prepare' ? Infinity : task.budgetMs),
    budgetMs: task.budgetMs,
    figures,
    done: 0,
    progress() {
      if (performance.now() - toldMs < PROGRESS_EVERY_MS) return
      toldMs = performance.now()
      progress(this.done, operations)
    },
  }
}

/** What a peer that forgets must hold before it can be read. */
async function fillFirst(run: Run): Promise<void> {
  const filling: Run = { ...run, operations: run.keys, stopwatch: new Stopwatch(Infinity), done: 0 }
  await fill(filling, randomOrder(run.keys), PREPARE_BATCH)
  await run.store.compact()
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
