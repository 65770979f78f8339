/** What goes wrong with the disk of a simulated run, and how long it takes for what does not. */

import type { ErrorCode, VarveError } from '../../src/kernel/errors.ts'
import type { EventTrace } from '../../src/testing/event-trace.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import type { SimulatedProcess } from '../../src/testing/simulated-scheduler.ts'

export class DiskFaults {
  readonly #random: SeededRandom
  readonly #trace: EventTrace
  readonly #counts: Record<string, number> = {}
  #full = false
  /** One operation in so many fails. 0: none. */
  oneIn = 0

  constructor(random: SeededRandom, trace: EventTrace) {
    this.#random = random
    this.#trace = trace
  }

  /** How often what went wrong did: `write NO_SPACE`. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }

  /** Nothing fails until `oneIn` is set. */
  end(): void {
    this.oneIn = 0
    this.#full = false
  }

  latencyMs(): number {
    return this.#random.once(50) ? this.#random.below(200) : this.#random.below(1000) / 1000
  }

  before(process: SimulatedProcess, operation: DeviceOperation): void {
    this.#trace.operation(process.id, operation)
    if (this.#full && operation.operation === 'write') throw this.#fault('NO_SPACE', operation)
    if (this.oneIn === 0 || !this.#random.once(this.oneIn)) return
    if (operation.operation === 'write' && this.#random.once(2)) {
      // Full for a moment.
      this.#full = true
      void process.sleep(this.#random.below(20), 'space').then(() => (this.#full = false))
      throw this.#fault('NO_SPACE', operation)
    }
    const code = operation.operation === 'open' && this.#random.once(2) ? 'OUT_OF_FILES' : 'IO_FAILED'
    throw this.#fault(code, operation)
  }

  #fault(code: ErrorCode, { operation, path }: DeviceOperation): VarveError {
    this.count(`${operation} ${code}`)
    return failure(code, operation, path)
  }
}
