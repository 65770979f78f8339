/**
 * A network of simulated machines: connections whose bytes take time, that are cut, that lead nowhere, one way or both.
 *
 *      machine ── place ── wire ═══ latency, faults, partitions ═══ wire ── place ── machine
 *
 * What is sent in one turn is one piece; pieces of one direction arrive in order, as those of TCP, unless `faults` says
 * otherwise. Between machines that are parted nothing is lost and nothing arrives: it waits, as what TCP sends again does, and
 * nobody is told. A process that is killed leaves connections that end; one whose machine lost its power leaves connections
 * that lead nowhere, until the machine is back and does not know them.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Dial, Wire } from '../rpc/rpc.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedProcess, SimulatedScheduler } from './simulated-scheduler.ts'
import { SimulatedWire } from './simulated-wire.ts'

/** How often: one piece in so many. Default: never. All of them end a connection, sooner or later. */
export interface NetworkFaults {
  /** Lost. */
  readonly dropsOnceIn?: number
  /** Arrives twice. */
  readonly repeatsOnceIn?: number
  /** A bit of it is another. */
  readonly damagesOnceIn?: number
  /** The connection ends in its place. */
  readonly cutsOnceIn?: number
}

/** How the network behaves. */
export interface SimulatedNetworkOptions {
  /** Whose time it takes. */
  readonly scheduler: SimulatedScheduler
  /** Decides what goes wrong. */
  readonly random: SeededRandom
  /** Asked for every piece: how long it takes, in milliseconds. */
  readonly latencyMs: () => number
  /** Sees every piece when it arrives. */
  readonly trace?: (from: string, to: string, bytes: Uint8Array) => void
}

/** Machines by name, and what is under way between them. */
export class SimulatedNetwork {
  readonly #options: SimulatedNetworkOptions
  readonly #places = new Map<string, NetworkPlace>()
  /** `from>to`. */
  readonly #parted = new Set<string>()
  readonly #wires = new Set<SimulatedWire>()
  readonly #counts: Record<string, number> = {}
  /** In force from now on; may be changed at any time. */
  faults: NetworkFaults = {}

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options
  }

  /** How often what went wrong did. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  /** That of its options. */
  get random(): SeededRandom {
    return this.#options.random
  }

  /** `machine` is up, with one process on it: the next one has another place. */
  join(machine: string, process: SimulatedProcess): NetworkPlace {
    const place = new NetworkPlace(this, machine, process)
    this.#places.set(machine, place)
    return place
  }

  /** The place of whoever is there now. */
  placeOf(machine: string): NetworkPlace | undefined {
    return this.#places.get(machine)
  }

  /** From now on nothing that `from` sends arrives at `to`. */
  part(from: string, to: string): void {
    this.#parted.add(`${from}>${to}`)
  }

  /** What `from` sends does not arrive at `to`. */
  isParted(from: string, to: string): boolean {
    return this.#parted.has(`${from}>${to}`)
  }

  /** Everybody reaches everybody: what has waited arrives. */
  heal(): void {
    this.#parted.clear()
    for (const wire of this.#wires) wire.arrive()
  }

  /** The process there has ended. @param how whether its machine is there to say so */
  leave(place: NetworkPlace, how: 'reset' | 'silence'): void {
    if (this.#places.get(place.machine) === place) this.#places.delete(place.machine)
    for (const wire of this.#wires) {
      if (wire.place !== place) continue
      this.#wires.delete(wire)
      if (how === 'reset') wire.other?.hang()
    }
  }

  /** Both ends of a new connection. */
  connect(from: NetworkPlace, to: NetworkPlace): [client: SimulatedWire, server: SimulatedWire] {
    const [client, server] = [new SimulatedWire(this, from), new SimulatedWire(this, to)]
    client.join(server)
    server.join(client)
    this.#wires.add(client).add(server)
    return [client, server]
  }

  /** A connection that has ended. */
  forget(wire: SimulatedWire): void {
    this.#wires.delete(wire)
  }

  /** Lets `happen` happen to the process at `to`, after the time that a piece takes. */
  after(to: NetworkPlace, label: string, happen: () => void): void {
    const { scheduler, latencyMs } = this.#options
    scheduler.add(to.process, latencyMs(), label, happen)
  }

  /** Tells the trace of a piece. */
  arrived(from: string, to: string, bytes: Uint8Array): void {
    this.#options.trace?.(from, to, bytes)
  }

  /** Whether it goes wrong this time. */
  happens(what: keyof NetworkFaults): boolean {
    const onceIn = this.faults[what]
    if (onceIn === undefined || !this.random.once(onceIn)) return false
    const name = `network ${what.replace('OnceIn', '')}`
    this.#counts[name] = (this.#counts[name] ?? 0) + 1
    return true
  }
}

/** Where a process meets the network. */
export class NetworkPlace {
  /** Its name. */
  readonly machine: string
  /** Who lives there. */
  readonly process: SimulatedProcess
  readonly #network: SimulatedNetwork
  #accept: ((wire: Wire) => void) | undefined

  /** Use `SimulatedNetwork.join`. */
  constructor(network: SimulatedNetwork, machine: string, process: SimulatedProcess) {
    this.#network = network
    this.machine = machine
    this.process = process
  }

  /** Connections to this machine go to `accept`. */
  listen(accept: (wire: Wire) => void): void {
    this.#accept = accept
  }

  /** Reaches whatever listens on `machine` when it is dialled. */
  dial(machine: string): Dial {
    return (signal) =>
      new Promise<Wire>((resolve, reject) => {
        let over = false
        const fail = (reason: string): void => {
          if (over) return
          over = true
          reject(new VarveError('IO_FAILED', `${machine}: ${reason}`, { details: { operation: 'connect' } }))
        }
        if (signal.aborted) fail('given up')
        signal.addEventListener('abort', () => fail('nobody answers'), { once: true })
        const network = this.#network
        // Nobody answers between machines that are parted.
        if (network.isParted(this.machine, machine) || network.isParted(machine, this.machine)) return
        network.after(this, `dial ${machine}`, () => {
          if (over) return
          const there = network.placeOf(machine)
          const accept = there?.accepting
          if (there === undefined || accept === undefined) {
            fail('refused')
            return
          }
          over = true
          const [client, server] = network.connect(this, there)
          network.after(there, `accept ${this.machine}`, () => accept(server))
          resolve(client)
        })
      })
  }

  /** Who takes connections; undefined: nobody listens. */
  get accepting(): ((wire: Wire) => void) | undefined {
    return this.#accept
  }

  /** The process has ended: `reset` where its machine goes on, `silence` where that has lost its power. */
  leave(how: 'reset' | 'silence'): void {
    this.#network.leave(this, how)
  }
}
