/**
 * Simulated processes on one simulated device, which take one step at a time: an operation of the device, and whatever
 * follows from it up to the next one. Whoever decides whose step is next decides the interleaving. A process that has been
 * killed takes no step more, and nothing it had asked for happens.
 */

import type { Clock } from '../kernel/clock.ts'
import type { Device, DeviceFile } from '../kernel/device.ts'
import type { ProcessIdentity, ProcessTable } from '../fs/process-table.ts'
import type { SimulatedDevice } from './simulated-device.ts'
import type { OperationName } from './device-operation.ts'

/** The processes of one device, none of which moves by itself. */
export class SteppedProcesses {
  readonly #world: World
  readonly #processes: SteppedProcess[] = []

  /**
   * @param operations those that take a step, everywhere or where `takesStep` says so; others happen in the midst of one
   * @param clock whose turns are the steps
   */
  constructor(
    device: SimulatedDevice,
    operations: readonly OperationName[],
    clock: Clock,
    takesStep: (operation: OperationName, path: string) => boolean = () => true,
  ) {
    const isAlive = (of: ProcessIdentity): boolean => this.#processes[of.pid - 1]?.alive === true
    this.#world = { device, operations: new Set(operations), clock, isAlive, takesStep }
  }

  /** Every process there has been, in the order of their numbers, from 1 on. */
  get all(): readonly SteppedProcess[] {
    return this.#processes
  }

  /** A new process. It lives until it is killed, also when it has nothing left to do. */
  spawn(): SteppedProcess {
    const process = new SteppedProcess(this.#processes.length + 1, this.#world)
    this.#processes.push(process)
    return process
  }
}

/** What processes share. */
interface World {
  readonly device: Device
  readonly operations: ReadonlySet<PropertyKey>
  readonly clock: Clock
  readonly isAlive: (identity: ProcessIdentity) => boolean
  readonly takesStep: (operation: OperationName, path: string) => boolean
}

/** A process, and the steps that wait for somebody to let it take them. */
export class SteppedProcess {
  /** Its number, from 1 on. */
  readonly pid: number
  /** The device as this process has it. Synchronous calls take no step. */
  readonly device: Device
  /** The processes as this one sees them. */
  readonly table: ProcessTable
  readonly #world: World
  #alive = true
  #working = false
  /** What waits for a step, in order. */
  readonly #waiting: (() => void)[] = []

  /** Use `SteppedProcesses.spawn`. */
  constructor(pid: number, world: World) {
    this.pid = pid
    this.#world = world
    this.device = this.#stepped(world.device)
    this.table = { self: () => ({ bootId: 'boot', pid, startedAt: String(pid) }), isAlive: world.isAlive }
  }

  /** It has not been killed. */
  get alive(): boolean {
    return this.#alive
  }

  /** True where it has a step to take. */
  get running(): boolean {
    return this.#alive && this.#working
  }

  /** True where it has come to a step, which somebody has to let it take. */
  get waits(): boolean {
    return this.#alive && this.#waiting.length > 0
  }

  /** Begins `work`, which must not reject, up to its first step. One after the other. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#working = true
    void work().then(() => (this.#working = false))
    await this.#world.clock.turn()
  }

  /** Takes one step. */
  async step(): Promise<void> {
    this.#waiting.shift()?.()
    await this.#world.clock.turn()
  }

  /** Takes all its steps, at most `most` of them. */
  async steps(most: number = Infinity): Promise<void> {
    for (let left = most; this.running && left > 0; left--) await this.step()
  }

  /** Waits for a step, as an operation does. */
  pause(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** It takes no further step, and what it waited for never comes. Idempotent. */
  kill(): void {
    this.#alive = false
    this.#waiting.length = 0
  }

  #stepped<T extends Device | DeviceFile>(target: T): T {
    const { operations } = this.#world
    return new Proxy(target, {
      get: (_, name) => {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        if (name !== 'open' && !operations.has(name)) return found.bind(target) as unknown
        return async (...call: unknown[]): Promise<unknown> => {
          if (operations.has(name) && this.#world.takesStep(name as OperationName, pathOf(target, name, call))) {
            await this.pause()
          }
          const result: unknown = await Reflect.apply(found, target, call)
          return name === 'open' ? this.#stepped(result as DeviceFile) : result
        }
      },
    })
  }
}

/** What is made, where there are two; what an open file is of. */
function pathOf(target: Device | DeviceFile, name: PropertyKey, call: readonly unknown[]): string {
  if ('path' in target) return target.path
  return String(name === 'link' || name === 'rename' ? call[1] : call[0])
}
