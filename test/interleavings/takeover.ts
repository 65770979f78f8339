/** Two owners and a reader of one shard, each a process that takes one step of the disk at a time, in a given order. */

import assert from 'node:assert/strict'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../../src/testing/simulated-device.ts'
import type { OperationName } from '../../src/testing/device-operation.ts'
import { SteppedProcesses } from '../../src/testing/stepped-processes.ts'
import type { SteppedProcess } from '../../src/testing/stepped-processes.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'

const STEPS: readonly OperationName[] = [
  'open',
  'write',
  'truncate',
  'sync',
  'link',
  'rename',
  'unlink',
  'list',
  'syncDirectory',
]
// Far more than anybody needs: who takes them all never ends.
const STEPS_MAX = 3000

export class TakeoverWorld {
  readonly device: SimulatedDevice
  readonly #clock = new SimulatedClock()
  readonly #processes: SteppedProcesses
  /** Keys that somebody was told are durable. */
  readonly acknowledged: string[] = []
  fenced = 0
  #failure: unknown
  #seed = 0

  constructor(
    options: SimulatedDeviceOptions,
    steps: readonly OperationName[] = STEPS,
    takesStep?: (operation: OperationName, path: string) => boolean,
  ) {
    this.device = new SimulatedDevice({ ...options, record: false })
    this.#processes = new SteppedProcesses(this.device, steps, this.#clock, takesStep)
  }

  /** The disk goes on; nobody waits for anything but a step. */
  turn(): Promise<void> {
    return this.#clock.turn()
  }

  /** Opens, writes, flushes and compacts, until it is fenced. Values are so large that the journal goes on in new segments. */
  owner(name: string): Promise<SteppedProcess> {
    return this.#start(async (simulation) => {
      await this.#open(simulation)
      for (let index = 0; index < 4; index++) {
        const key = `${name}${index}`
        await simulation.db.put(Buffer.from(key), Buffer.alloc(2100, key), { durability: 'synced' })
        this.acknowledged.push(key)
        if (index === 1) await simulation.db.flush()
      }
      await simulation.db.compactRange()
      await simulation.stop()
    })
  }

  /** Does `work`, which waits for a step at `begin`; who is fenced gives up. */
  process(work: (simulation: Simulation, begin: () => Promise<void>) => Promise<void>): Promise<SteppedProcess> {
    return this.#start((simulation, process) => work(simulation, () => process.pause()))
  }

  /** Writes `key`, durably. What it is told of must not be lost. */
  async put({ db }: Simulation, key: string): Promise<void> {
    await db.put(Buffer.from(key), Buffer.from(key), { durability: 'synced' })
    this.acknowledged.push(key)
  }

  /** Opens without taking over, and finds of each owner's writes the first ones. */
  reader(begin?: 'after a step'): Promise<SteppedProcess> {
    return this.#start(async (simulation, process) => {
      if (begin !== undefined) await process.pause()
      await simulation.open({ readOnly: true })
      const found = await keysOf(simulation)
      for (const name of ['a', 'b']) {
        const indexes = found.filter((key) => key.startsWith(name)).map((key) => Number(key.slice(1)))
        assert.deepEqual(indexes, [...indexes.keys()], `a reader finds a hole: ${found.join(' ')}`)
      }
    })
  }

  /** Whoever is left goes on to its end. */
  async finish(...processes: readonly SteppedProcess[]): Promise<void> {
    for (const process of processes) {
      await process.steps(STEPS_MAX)
      assert.ok(!process.running, 'a process never ends')
    }
  }

  /** Nothing is wrong, and what was acknowledged is there, also when the power goes. */
  async check(about: string): Promise<void> {
    assert.equal(this.#failure, undefined, about)
    const after = this.#simulation(this.device.crash({ data: 'none', names: 'none' }, 1))
    await after.open()
    const found = await keysOf(after)
    for (const key of this.acknowledged) assert.ok(found.includes(key), `${about}: ${key} was acknowledged and is lost`)
    await after.stop()
  }

  async #start(work: (simulation: Simulation, process: SteppedProcess) => Promise<void>): Promise<SteppedProcess> {
    const process = this.#processes.spawn()
    const simulation = this.#simulation(process.device as SimulatedDevice)
    // Others may be at work in the same directory.
    simulation.cleansUp = false
    await process.run(async () => {
      try {
        await work(simulation, process)
      } catch (error) {
        if (isCode(error, 'FENCED')) this.fenced++
        // A reader whose files have gone since it looked may look again.
        else if (!(error instanceof VarveError && error.kind === 'retry')) this.#failure ??= error
      }
    })
    return process
  }

  async #open(simulation: Simulation): Promise<void> {
    for (;;) {
      try {
        await simulation.open()
        return
      } catch (error) {
        if (!isCode(error, 'FENCED')) throw error
        this.fenced++
      }
    }
  }

  #simulation(device: SimulatedDevice): Simulation {
    const simulation = new Simulation(++this.#seed, { ...TINY_SETTINGS, memtableBytes: 1 << 20 }, { record: false })
    simulation.journalSettings = { segmentBytes: 4096, preallocateBytes: 0 }
    simulation.device = device
    return simulation
  }
}

async function keysOf(simulation: Simulation): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of simulation.db.scan({ values: false })) found.push(Buffer.from(key).toString())
  return found
}
