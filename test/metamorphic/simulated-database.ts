/** A database on a simulated disk, whose every operation may fail. */

import assert from 'node:assert/strict'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import type { Composition } from '../compositions.ts'
import { Simulation } from '../simulation.ts'
import type { FaultyDatabase } from './metamorphic.ts'

// Of a compaction in jobs that take their time.
const ATTEMPT_TURNS = 30

export class SimulatedDatabase implements FaultyDatabase {
  faults = false
  readonly #simulation: Simulation
  readonly #random: SeededRandom

  constructor({ settings = {}, device, composer }: Composition, seed: number) {
    this.#random = new SeededRandom(seed)
    const before = (operation: DeviceOperation): void => this.#before(operation)
    this.#simulation = new Simulation(seed, settings, { record: false, ...device, before })
    const parts = composer?.(seed)
    if (parts !== undefined) this.#simulation.composer = parts
  }

  get db(): KvShard {
    return this.#simulation.db
  }

  open(): Promise<void> {
    return this.#simulation.open()
  }

  reopen(): Promise<void> {
    return this.#simulation.reopen()
  }

  async recover(): Promise<void> {
    this.#simulation.clock.advance(120_000)
    // An attempt that is under way has not succeeded yet.
    for (let turns = 0; turns < ATTEMPT_TURNS; turns++) await this.#simulation.clock.turn()
  }

  /** Lets time pass where a call waits for it: what failed in the background is tried again after a pause. */
  async settle<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const done = (): void => void (settled = true)
    work.then(done, done)
    for (let turns = 0; !settled; turns++) {
      assert.ok(turns < 5000, 'a call never settles')
      await this.#simulation.clock.turn()
      if (turns > 100) this.#simulation.clock.advance(1000)
    }
    return work
  }

  stop(): Promise<void> {
    return this.#simulation.stop()
  }

  /** A disk that is full for a moment, a process without descriptors, a read that fails. */
  #before({ operation, path }: DeviceOperation): void {
    if (!this.faults || !this.#random.once(40)) return
    if (operation === 'write') throw failure('NO_SPACE', operation, path)
    const table = path.startsWith('files')
    if (operation === 'open' && table) throw failure('OUT_OF_FILES', operation, path)
    if (operation === 'read' && table) throw failure('IO_FAILED', operation, path)
  }
}
