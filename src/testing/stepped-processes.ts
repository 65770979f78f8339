/**
 * Simulated processes on one simulated device, which take one step at a time: an operation of the device, and whatever
 * follows from it up to the next one. Whoever decides whose step is next decides the interleaving. A process that has been
 * killed takes no step more, and nothing it had asked for happens.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import type { ProcessIdentity, ProcessTable } from '../fs/process-table.ts'
import type { OperationName, SimulatedDevice } from './simulated-device.ts'

// Captured at load: a simulation may replace the global one by something that throws.
const nextTurn = setImmediate

export class SteppedProcesses {
  readonly #device: Device
  readonly #operations: ReadonlySet<PropertyKey>
  readonly #processes: SteppedProcess[] = []

  /** @param operations those that take a step; others happen in the midst of one */
  constructor(device: SimulatedDevice, operations: readonly OperationName[]) {
    this.#device = device
    this.#operations = new Set(operations)
  }

  /** Every process there has been, in the order of their numbers, from 1 on. */
  get all(): readonly SteppedProcess[] {
    return this.#processes
  }

  /** A new process. It lives until it is killed, also when it has nothing left to do. */
  spawn(): SteppedProcess {
    const pid = this.#processes.length + 1
    const isAlive = (of: ProcessIdentity): boolean => this.#processes[of.pid - 1]?.alive === true
    const process = new SteppedProcess(pid, this.#device, this.#operations, isAlive)
    this.#processes.push(process)
    return process
  }
}

export class SteppedProcess {
  readonly pid: number
  /** The device as this process has it. Synchronous calls take no step. */
  readonly device: Device
  /** The processes as this one sees them. */
  readonly table: ProcessTable
  readonly #operations: ReadonlySet<PropertyKey>
  #alive = true
  #working = false
  #resume: (() => void) | undefined

  constructor(
    pid: number,
    device: Device,
    operations: ReadonlySet<PropertyKey>,
    isAlive: (identity: ProcessIdentity) => boolean,
  ) {
    this.pid = pid
    this.#operations = operations
    this.device = this.#stepped(device)
    this.table = { self: () => ({ bootId: 'boot', pid, startedAt: String(pid) }), isAlive }
  }

  get alive(): boolean {
    return this.#alive
  }

  /** True where it has a step to take. */
  get running(): boolean {
    return this.#alive && this.#working
  }

  /** Begins `work`, which must not reject, up to its first step. One after the other. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#working = true
    void work().then(() => (this.#working = false))
    await turn()
  }

  /** Takes one step. */
  async step(): Promise<void> {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
    await turn()
  }

  /** Takes all its steps, at most `most` of them. */
  async steps(most: number = Infinity): Promise<void> {
    for (let left = most; this.running && left > 0; left--) await this.step()
  }

  /** Waits for a step, as an operation does. */
  pause(): Promise<void> {
    return new Promise((resolve) => (this.#resume = resolve))
  }

  kill(): void {
    this.#alive = false
    this.#resume = undefined
  }

  #stepped<T extends Device | DeviceFile>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        if (name !== 'open' && !this.#operations.has(name)) return found.bind(target) as unknown
        return async (...call: unknown[]): Promise<unknown> => {
          if (this.#operations.has(name)) await this.pause()
          const result: unknown = await Reflect.apply(found, target, call)
          return name === 'open' ? this.#stepped(result as DeviceFile) : result
        }
      },
    })
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}
