/** A database in a directory of its own, as `open` makes it, with files that fail now and then in every thread. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import type { LocalOptions } from '../../src/local-options.ts'
import { open } from '../../src/local.ts'
import type { LocalOpenOptions } from '../../src/local.ts'
import type { Composition } from '../compositions.ts'
import * as faultyFiles from './faulty-files.ts'
import { FAULTS_ON } from './faulty-files.ts'
import type { FaultSwitch } from './faulty-files.ts'
import type { FaultyDatabase } from './metamorphic.ts'

// The shard's pauses begin with one millisecond and double, like these.
const RECOVERY_MS = 4
const RECOVERY_MS_MAX = 1000

export class DirectoryDatabase implements FaultyDatabase {
  readonly #root = mkdtempSync(join(tmpdir(), 'varve-metamorphic-'))
  readonly #options: LocalOpenOptions
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  #db: KvShard | undefined

  constructor({ settings = {} }: Composition, local: LocalOptions, seed: number) {
    const options: FaultSwitch = { seed, shared: this.#shared }
    const url = new URL('./faulty-files.js', import.meta.url)
    this.#options = {
      ...local,
      // Every write is to find out for itself whether there is space.
      reserveBytes: 0,
      settings: { ...settings, retryDelayMs: 1 },
      wrappers: [{ module: faultyFiles, url, export: 'withFaults', options }],
    }
  }

  get db(): KvShard {
    if (this.#db === undefined) throw new Error('the shard is not open')
    return this.#db
  }

  get faults(): boolean {
    return Atomics.load(this.#shared, FAULTS_ON) === 1
  }

  set faults(on: boolean) {
    Atomics.store(this.#shared, FAULTS_ON, on ? 1 : 0)
  }

  async open(): Promise<void> {
    this.#db = await open(join(this.#root, 'db'), this.#options)
  }

  async reopen(): Promise<void> {
    await this.db.close()
    await this.open()
  }

  async recover(failures: number): Promise<void> {
    await sleep(Math.min(RECOVERY_MS * 2 ** failures, RECOVERY_MS_MAX))
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return work
  }

  async stop(): Promise<void> {
    await this.#db?.close()
    rmSync(this.#root, { recursive: true })
  }
}
