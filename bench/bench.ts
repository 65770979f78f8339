/** A run of the harness: prepares the data of each peer, then measures workload by workload, peers in turn, in rounds. */

import { constants, existsSync, mkdirSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchOptions } from './options.ts'
import { peerNamed } from './peers/peer-table.ts'
import { Progress } from './report/progress.ts'
import { short } from './report/quantities.ts'
import type { RowFile } from './report/row.ts'
import { runTask } from './run-task.ts'
import type { TaskEnd } from './run-task.ts'
import type { Task } from './task.ts'
import { workloadNamed } from './workloads/workload-table.ts'

export class WrongResult extends Error {
  override readonly name = 'WrongResult'
}

export class Bench {
  readonly #options: BenchOptions
  readonly #rows: RowFile
  readonly #progress: Progress
  /** Why a peer is left out from here on. */
  readonly #out = new Map<string, string>()
  readonly shape: string

  constructor(options: BenchOptions, rows: RowFile) {
    this.#options = options
    this.#rows = rows
    this.shape = `${short(options.keys)} × ${options.valueBytes} B`
    const preparing = this.#preparing()
    this.#progress = new Progress(preparing.length + options.workloads.length * options.peers.length * options.rounds)
  }

  /** @throws {WrongResult} a peer gave another answer than the model, or than the others */
  async run(): Promise<void> {
    mkdirSync(this.#options.directory, { recursive: true })
    try {
      for (const peer of this.#preparing()) await this.#prepare(peer)
      for (const workload of this.#options.workloads) {
        for (let round = 1; round <= this.#options.rounds; round++) {
          for (const peer of this.#options.peers) await this.#measure(peer, workload, round)
        }
      }
    } finally {
      rmSync(this.#options.directory, { recursive: true, force: true })
    }
  }

  /** Peers that need prepared data. */
  #preparing(): readonly string[] {
    const { peers, workloads } = this.#options
    if (workloads.every((name) => workloadNamed(name).data === 'empty')) return []
    return peers.filter((peer) => peerNamed(peer).persists)
  }

  async #prepare(peer: string): Promise<void> {
    const directory = this.#preparedDirectory(peer)
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    await this.#perform(peer, 'prepare', 1, directory)
  }

  async #measure(peer: string, workload: string, round: number): Promise<void> {
    if (this.#rows.has({ shape: this.shape, workload, peer, round })) {
      this.#progress.finish(`${workload} ${peer}`, 'already there')
      return
    }
    const { data } = workloadNamed(workload)
    if (data === 'prepared' && existsSync(this.#preparedDirectory(peer))) {
      await this.#perform(peer, workload, round, this.#preparedDirectory(peer))
      return
    }
    const directory = join(this.#options.directory, 'current')
    rmSync(directory, { recursive: true, force: true })
    if (data === 'copy' && existsSync(this.#preparedDirectory(peer))) {
      await cp(this.#preparedDirectory(peer), directory, { recursive: true, mode: constants.COPYFILE_FICLONE })
    } else mkdirSync(directory)
    await this.#perform(peer, workload, round, directory)
    rmSync(directory, { recursive: true, force: true })
  }

  async #perform(peer: string, workload: string, round: number, directory: string): Promise<void> {
    const step = `${workload} ${peer} (round ${round})`
    const { keys, valueBytes, cacheBytes, budgetMs, mode } = this.#options
    const task: Task = { peer, workload, directory, keys, valueBytes, cacheBytes, budgetMs, whole: mode === 'smoke' }
    const out = this.#out.get(peer)
    const end: TaskEnd =
      out === undefined
        ? await runTask(task, (fraction) => this.#progress.show(step, fraction))
        : { type: 'unable', reason: out }
    this.#progress.finish(step, this.#record(task, round, end))
  }

  /** What to say about it. */
  #record({ peer, workload, keys }: Task, round: number, end: TaskEnd): string {
    const row = { shape: this.shape, workload, peer, round }
    if (end.type !== 'outcome') {
      if (workload === 'prepare') this.#out.set(peer, end.reason)
      const nothing = { perSecond: 0, operations: 0, elapsedMs: 0, digest: '', figures: {}, settings: {} }
      this.#rows.add({ ...row, ...nothing, lacking: end.reason })
      return `${end.type}: ${end.reason}`
    }
    const { operations, elapsedMs, digest, wanted, figures, settings } = end.outcome
    if (digest !== wanted) throw new WrongResult(`${peer}, ${workload}: results are ${digest}, should be ${wanted}`)
    const perSecond = operations / (elapsedMs / 1000)
    this.#checkAgreement(peer, workload, operations, digest)
    this.#rows.add({ ...row, perSecond, operations, elapsedMs, digest, figures, settings })
    const part =
      workload !== 'prepare' && operations < workloadNamed(workload).operations(keys) ? ', stopped by time' : ''
    return `${short(perSecond)}/s${part}`
  }

  /** The model could be wrong about everyone alike, but not the peers about each other. */
  #checkAgreement(peer: string, workload: string, operations: number, digest: string): void {
    const other = this.#rows.rows.find(
      (row) => row.shape === this.shape && row.workload === workload && row.operations === operations,
    )
    if (other !== undefined && other.digest !== digest) {
      throw new WrongResult(`${peer}, ${workload}: results are ${digest}, those of ${other.peer} were ${other.digest}`)
    }
  }

  #preparedDirectory(peer: string): string {
    return join(this.#options.directory, 'prepared', peer.replaceAll(/[^\w-]/g, '_'))
  }
}
