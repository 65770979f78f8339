/** A run of the harness: prepares the data of each peer, then measures workload by workload, peers in turn, in rounds. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIMIT_NAMES, LIMIT_PREFIX, MACHINE } from './measure-limit.ts'
import type { BenchOptions } from './options.ts'
import { persists } from './peers/peer-table.ts'
import { Progress } from './report/progress.ts'
import { short } from './report/quantities.ts'
import type { Row, RowFile } from './report/row.ts'
import { runTasks } from './run-task.ts'
import { cacheOf } from './scene.ts'
import type { Scene } from './scene.ts'
import type { Task, TaskEnd } from './task.ts'
import { workloadNamed } from './workloads/workload-table.ts'
import type { Workload } from './workloads/workload.ts'

/** Peers at a time in the smoke run. */
const SMOKE_LANES = 2
/** Of more keys than this only varve and RocksDB are asked: the others would take hours. */
const KEYS_FOR_ALL = 10_000_000
const HUGE_PEERS = new Set(['varve', 'rocksdb', 'db_bench'])

/** A peer, or its adapter, or the harness, gave what it should not. */
export class WrongResult extends Error {
  override readonly name = 'WrongResult'
}

interface Step {
  readonly task: Task
  readonly round: number
}

export class Bench {
  readonly #options: BenchOptions
  readonly #rows: RowFile
  readonly #scene: Scene
  /** Steps that share a process, in order. */
  readonly #processes: readonly (readonly Step[])[]
  readonly #progress: Progress
  /** Why a peer is left out from here on. */
  readonly #excluded = new Map<string, string>()

  constructor(options: BenchOptions, scene: Scene, rows: RowFile) {
    this.#options = options
    this.#scene = scene
    this.#rows = rows
    this.#processes = this.#plan()
    this.#progress = new Progress(this.#processes.reduce((sum, steps) => sum + steps.length, 0))
  }

  /** @throws {WrongResult} a peer gave another answer than the model, or than the others */
  async run(): Promise<void> {
    mkdirSync(this.#options.directory, { recursive: true })
    try {
      const waiting = [...this.#processes]
      const lane = async (): Promise<void> => {
        for (let steps = waiting.shift(); steps !== undefined; steps = waiting.shift()) await this.#perform(steps)
      }
      await Promise.all(Array.from({ length: this.#options.mode === 'smoke' ? SMOKE_LANES : 1 }, lane))
    } finally {
      if (!this.#options.keep) rmSync(this.#options.directory, { recursive: true, force: true })
    }
  }

  /**
   * One process for each measurement, rounds and peers interleaved, so that a noisy minute hits everyone alike. Only the
   * smoke run, which is not about time, has one process for each peer.
   */
  #plan(): readonly (readonly Step[])[] {
    const { mode, rounds } = this.#options
    const peers = this.#options.peers.filter((peer) => this.#scene.keys <= KEYS_FOR_ALL || HUGE_PEERS.has(peer))
    const { workloads } = this.#scene
    const rest = (peer: string): readonly string[] =>
      workloads.filter((workload) => !this.#rows.hasRounds({ shape: this.#scene.shape, workload, peer }, rounds))
    const prepared = peers.filter(
      (peer) =>
        persists(peer) && !this.#isKept(peer) && rest(peer).some((name) => workloadNamed(name).data !== 'empty'),
    )
    const preparations = prepared.map((peer): Step => ({ task: this.#task(peer, 'prepare'), round: 1 }))
    const measurements = workloads.flatMap((workload) =>
      Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
        peers
          .filter((peer) => !this.#rows.has({ shape: this.#scene.shape, workload, peer, round }))
          .map((peer): Step => ({ task: this.#task(peer, workload), round })),
      ),
    )
    const limits = Array.from({ length: this.#scene.limits === true ? rounds : 0 }, (_, index) => index + 1).flatMap(
      (round) =>
        LIMIT_NAMES.filter(
          (name) => !this.#rows.has({ shape: this.#scene.shape, workload: name, peer: MACHINE, round }),
        ).map((name): Step => ({ task: this.#task(MACHINE, name), round })),
    )
    const steps = [...limits, ...preparations, ...measurements]
    return mode === 'smoke'
      ? [MACHINE, ...peers].map((peer) => steps.filter(({ task }) => task.peer === peer))
      : steps.map((step) => [step])
  }

  /** Whether prepared data of an earlier run may be used. */
  #isKept(peer: string): boolean {
    const mark = this.#keptMark(peer)
    return this.#options.keep && existsSync(mark) && readFileSync(mark, 'utf8') === this.#scene.shape
  }

  /** Says that the prepared data beside it are whole, and what they are. */
  #keptMark(peer: string): string {
    return `${this.#task(peer, 'prepare').directory}.prepared`
  }

  #task(peer: string, workload: string): Task {
    const { directory, cacheBytes, budgetMs, mode } = this.#options
    const { keys, valueBytes, memoryBytes } = this.#scene
    const name = peer.replaceAll(/[^\w-]/g, '_')
    const prepared = join(directory, 'prepared', name)
    const data = workloadOf(workload)?.data ?? (workload === 'prepare' ? 'prepared' : 'empty')
    return {
      peer,
      workload,
      directory: data === 'prepared' ? prepared : join(directory, 'current', name, workload.replace('/', '-')),
      ...(data === 'copy' ? { copyFrom: prepared } : {}),
      ...(memoryBytes === undefined || workload === 'prepare' ? {} : { memoryBytes }),
      keys,
      valueBytes,
      cacheBytes: cacheOf(this.#scene, cacheBytes),
      budgetMs,
      whole: mode === 'smoke',
    }
  }

  async #perform(steps: readonly Step[]): Promise<void> {
    const waiting = [...steps]
    for (const { task } of steps) {
      if (task.workload !== 'prepare') continue
      rmSync(this.#keptMark(task.peer), { force: true })
      rmSync(task.directory, { recursive: true, force: true })
    }
    const excluded = this.#excluded.get(steps[0]?.task.peer ?? '')
    const ended = (task: Task, end: TaskEnd): void => {
      const step = waiting.shift() as Step
      this.#progress.finish(describe(step), this.#record(task, step.round, end))
    }
    try {
      if (excluded !== undefined) for (const { task } of steps) ended(task, { type: 'unable', reason: excluded })
      else {
        const progress = (fraction: number): void => this.#progress.show(describe(waiting[0] as Step), fraction)
        await runTasks(
          steps.map(({ task }) => task),
          progress,
          ended,
        )
      }
    } finally {
      for (const { task } of steps) {
        if (!isPrepared(task)) rmSync(task.directory, { recursive: true, force: true })
      }
    }
  }

  /** Gives what to say about it. */
  #record({ peer, workload, keys }: Task, round: number, end: TaskEnd): string {
    const place = { shape: this.#scene.shape, workload, peer, round }
    if (end.type !== 'outcome') {
      if (workload === 'prepare') this.#excluded.set(peer, end.reason)
      const nothing = { perSecond: 0, operations: 0, elapsedMs: 0, digest: '', figures: {}, settings: {} }
      this.#rows.add({ ...place, ...nothing, lacking: `${end.type}: ${end.reason}` })
      return `${end.type}: ${end.reason}`
    }
    const { operations, elapsedMs, digest, wanted, figures, settings } = end.outcome
    if (digest !== wanted) throw new WrongResult(`${peer}, ${workload}: results are ${digest}, should be ${wanted}`)
    const row = {
      ...place,
      perSecond: operations / (elapsedMs / 1000),
      operations,
      elapsedMs,
      digest,
      figures,
      settings,
    }
    this.#checkAgreement(row)
    this.#rows.add(row)
    if (workload === 'prepare') writeFileSync(this.#keptMark(peer), this.#scene.shape)
    const all = workloadOf(workload)?.operations(keys) ?? 0
    return `${short(row.perSecond)}/s${operations < all ? ', stopped by time' : ''}`
  }

  /** The model could be wrong about everyone alike, but not the peers about each other. */
  #checkAgreement({ shape, workload, peer, operations, digest }: Row): void {
    if (digest === '' || workloadOf(workload)?.agrees === false) return
    const other = this.#rows.rows.find(
      (row) =>
        row.shape === shape && row.workload === workload && row.operations === operations && row.digest.length > 0,
    )
    if (other !== undefined && other.digest !== digest) {
      throw new WrongResult(`${peer}, ${workload}: results are ${digest}, those of ${other.peer} were ${other.digest}`)
    }
  }
}

/** Undefined for the preparation, and for a limit of the machine. */
function workloadOf(name: string): Workload | undefined {
  return name === 'prepare' || name.startsWith(LIMIT_PREFIX) ? undefined : workloadNamed(name)
}

function isPrepared({ workload }: Task): boolean {
  return workload === 'prepare' || workloadOf(workload)?.data === 'prepared'
}

function describe({ task: { workload, peer }, round }: Step): string {
  return `${workload} ${peer} (round ${round})`
}
