/** A journal service by a simulated clock, which may be started anew, and clients of it. */

import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import type { JournalSystem } from '../../src/journal/journal.ts'
import { JournalService } from '../../src/journal/remote/journal-service.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { Access } from '../../src/rpc/access.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialLoopback } from '../../src/rpc/loopback.ts'
import type { Dial, Listening, Wire } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { faultyDial } from '../../src/testing/faulty-wire.ts'
import type { WireFaults } from '../../src/testing/faulty-wire.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const hash = await loadHash()

/** A service over `journals`, and clients of it. */
export class JournalPlace {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(1)
  readonly #access: Access
  journals: JournalSystem
  service: JournalService
  server: RpcServer
  faults: WireFaults | undefined
  /** Nobody gets a connection. */
  gone = false
  resumeMs = 3_600_000
  listening: Listening | undefined
  #timeStopped = false
  readonly #clients: RpcClient[] = []
  readonly #wires = new Set<Wire>()

  constructor(journals: JournalSystem, access = new Access()) {
    this.journals = journals
    this.#access = access
    this.service = new JournalService({ journals, clock: this.clock })
    this.server = new RpcServer({ services: [this.service], clock: this.clock, hash, access })
  }

  /** Ends the service as a crash does, and starts another over the same journals. */
  async restart(): Promise<void> {
    await this.server.close()
    this.service = new JournalService({ journals: this.journals, clock: this.clock })
    this.server = new RpcServer({ services: [this.service], clock: this.clock, hash, access: this.#access })
  }

  async system(token = ''): Promise<RemoteJournalSystem> {
    const { clock, random } = this
    const address = this.listening?.address
    const found: Dial = address === undefined ? (signal) => dialLoopback(this.server)(signal) : dialSocket(address)
    const direct: Dial = async (signal) => {
      const wire = await found(signal)
      this.#wires.add(wire)
      return wire
    }
    const dial: Dial = (signal) => {
      if (this.gone) return Promise.reject(new VarveError('IO_FAILED', 'refused'))
      const { faults } = this
      return faults === undefined ? direct(signal) : faultyDial(direct, { random, clock, faults })(signal)
    }
    const client = new RpcClient({ dial, clock, hash, random, token })
    this.#clients.push(client)
    // Time goes by quickly here, and a network that fails so often takes many attempts.
    return RemoteJournalSystem.connect({ client, random, resumeMs: this.resumeMs })
  }

  /** Every connection there is ends. */
  async cut(): Promise<void> {
    for (const wire of this.#wires) wire.destroy()
    this.#wires.clear()
    for (let turns = 0; turns < 10; turns++) await this.clock.turn()
  }

  /** All clients go. */
  async leave(): Promise<void> {
    for (const client of this.#clients) await client.close()
    for (let turns = 0; turns < 10; turns++) await this.clock.turn()
  }

  passTime(): void {
    void (async () => {
      while (!this.#timeStopped) {
        await this.clock.turn()
        this.clock.advance(20)
      }
    })()
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) await client.close()
    await this.listening?.close()
    await this.server.close()
    await this.service.close()
    this.#timeStopped = true
  }
}

export function localJournals(): JournalSystem {
  const settings = { segmentBytes: 8192, preallocateBytes: 1024 }
  const [device, random] = [new SimulatedDevice(), new SeededRandom(1)]
  return new LocalJournalSystem({ device, directory: 'journal', hash, random, settings })
}
