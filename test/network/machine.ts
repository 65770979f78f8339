/**
 * A simulated machine: a place in the network, perhaps a disk, and one process at a time, which may be killed, stopped, cut
 * from power, and begins anew after a while, as what a supervisor watches over.
 */

import { VarveError } from '../../src/kernel/errors.ts'
import type { EventTrace } from '../../src/testing/event-trace.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { CrashPolicy, SimulatedDeviceOptions } from '../../src/testing/simulated-device.ts'
import type { NetworkPlace, SimulatedNetwork } from '../../src/testing/simulated-network.ts'
import type { SimulatedProcess, SimulatedScheduler } from '../../src/testing/simulated-scheduler.ts'
import { DiskFaults } from '../seeds/disk-faults.ts'

/** What all machines share. */
export interface World {
  readonly seed: number
  readonly random: SeededRandom
  readonly trace: EventTrace
  readonly scheduler: SimulatedScheduler
  readonly network: SimulatedNetwork
  /** Hears of what should never happen. */
  readonly failed: (error: unknown) => void
}

/** One process of a machine, as what runs in it sees it. */
export interface Life {
  readonly process: SimulatedProcess
  readonly place: NetworkPlace
  readonly device: SimulatedDevice
}

const CRASHES: readonly CrashPolicy[] = [
  { data: 'none', names: 'none' },
  { data: 'some', names: 'some' },
  { data: 'some', names: 'all' },
  { data: 'all', names: 'none' },
]

export class Machine {
  readonly name: string
  readonly faults: DiskFaults
  readonly #world: World
  readonly #begin: (life: Life) => Promise<void>
  #life: Life
  /** What the next process finds on the disk, where there is none now. */
  #down: ((options: SimulatedDeviceOptions) => SimulatedDevice) | undefined

  /** @param begin what its process does: where it fails, the process ends and begins anew */
  constructor(world: World, name: string, begin: (life: Life) => Promise<void>) {
    this.#world = world
    this.name = name
    this.#begin = begin
    this.faults = new DiskFaults(world.random, world.trace)
    this.#life = this.#boot((options) => new SimulatedDevice(options))
  }

  get life(): Life {
    return this.#life
  }

  get alive(): boolean {
    return this.#life.process.alive
  }

  get stopped(): boolean {
    return this.#life.process.stopped
  }

  /** Its process ends; the next one is to `boot`. */
  end(how: 'kill' | 'powerCut'): void {
    this.#life.process.kill()
    this.#life.place.leave(how === 'kill' ? 'reset' : 'silence')
    const { device } = this.#life
    const { random } = this.#world
    this.#down = (options) =>
      how === 'kill'
        ? device.kill(options)
        : device.crash(CRASHES[random.below(CRASHES.length)] as CrashPolicy, random.u32(), options)
  }

  /** Begins anew over what is on the disk, where it has ended. */
  boot(): void {
    const down = this.#down
    if (down === undefined) return
    this.#down = undefined
    this.#life = this.#boot(down)
  }

  #boot(deviceOf: (options: SimulatedDeviceOptions) => SimulatedDevice): Life {
    const { scheduler, network } = this.#world
    const process = scheduler.process()
    const options: SimulatedDeviceOptions = {
      record: false,
      failedWrites: 'some',
      failedSyncs: 'dropped',
      delay: () => process.sleep(this.faults.latencyMs(), 'disk'),
      before: (operation) => this.faults.before(process, operation),
    }
    const life = { process, place: network.join(this.name, process), device: deviceOf(options) }
    this.#begin(life).catch((error: unknown) => {
      if (!(error instanceof VarveError) || error.kind === 'bug' || error.kind === 'corrupt') this.#world.failed(error)
      else this.#restart()
    })
    return life
  }

  /** A process that has failed ends, and another begins after a while. */
  #restart(): void {
    this.end('kill')
    void this.#world.scheduler
      .process()
      .sleep(1 + this.#world.random.below(1000), 'restart')
      .then(() => this.boot())
  }
}
