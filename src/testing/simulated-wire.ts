/** One end of a connection in a simulated network. */

import { concatBytes, copyOf } from '../kernel/bytes.ts'
import type { Wire, WireReceiver } from '../rpc/rpc.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { NetworkPlace, SimulatedNetwork } from './simulated-network.ts'

/** What is on its way to this end; undefined: the other end has gone. */
type Piece = Uint8Array | undefined

/** Made by `SimulatedNetwork.connect`, in pairs. */
export class SimulatedWire implements Wire {
  /** Where this end is. */
  readonly place: NetworkPlace
  readonly safety = 'local'
  readonly certified: readonly string[] = []
  /** The network has taken everything. */
  readonly bufferedBytes = 0
  readonly #network: SimulatedNetwork
  readonly #arriving: Piece[] = []
  #other: SimulatedWire | undefined
  #receiver: WireReceiver | undefined
  /** Deliveries that are to happen. */
  #due = 0
  #paused = false
  #ended = false

  /** Use `SimulatedNetwork.connect`. */
  constructor(network: SimulatedNetwork, place: NetworkPlace) {
    this.#network = network
    this.place = place
  }

  /** The other end is `other`. */
  join(other: SimulatedWire): void {
    this.#other = other
  }

  /** Undefined before `join`. */
  get other(): SimulatedWire | undefined {
    return this.#other
  }

  get peer(): string {
    return this.#other?.place.machine ?? 'nobody'
  }

  listen(receiver: WireReceiver): void {
    this.#receiver = receiver
    this.arrive()
  }

  send(parts: readonly Uint8Array[]): void {
    const [network, other] = [this.#network, this.#other]
    if (this.#ended || other === undefined) return
    if (!other.place.process.alive) {
      // Its machine is back and does not know the connection, or is not.
      if (network.placeOf(other.place.machine) !== undefined) this.hang()
      return
    }
    if (network.happens('dropsOnceIn')) return
    const bytes = concatBytes(parts)
    const sent = network.happens('damagesOnceIn') ? damaged(bytes, network.random) : bytes
    other.#push(sent)
    if (network.happens('repeatsOnceIn')) other.#push(sent)
    if (network.happens('cutsOnceIn')) {
      this.hang()
      other.hang()
    }
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.arrive()
  }

  end(): void {
    if (!this.#ended) this.#other?.hang()
    this.#finish('ended here')
  }

  destroy(): void {
    if (!this.#ended) this.#other?.hang()
    this.#finish('destroyed here')
  }

  /** The other end has gone: heard behind what is on its way. */
  hang(): void {
    this.#push(undefined)
  }

  /** What has waited may arrive. */
  arrive(): void {
    if (this.#arriving.length > 0 && this.#due === 0) this.#schedule()
  }

  #push(piece: Piece): void {
    if (this.#ended) return
    this.#arriving.push(piece)
    this.#schedule()
  }

  #schedule(): void {
    this.#due++
    this.#network.after(this.place, `from ${this.peer}`, () => this.#deliver())
  }

  /** The next piece; where it cannot be heard the others wait behind it. */
  #deliver(): void {
    this.#due--
    const [network, { machine }] = [this.#network, this.place]
    if (this.#ended || this.#arriving.length === 0) return
    // Called again when that has changed.
    if (this.#paused || this.#receiver === undefined || network.isParted(this.peer, machine)) return
    const piece = this.#arriving.shift()
    if (piece === undefined) {
      this.#finish('the other end has gone')
      return
    }
    network.arrived(this.peer, machine, piece)
    this.#receiver.received(piece)
    this.arrive()
  }

  #finish(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#arriving.length = 0
    this.#network.forget(this)
    this.#receiver?.ended(reason)
  }
}

/** One bit of it is another. */
function damaged(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const copy = copyOf(bytes)
  const at = random.below(copy.length)
  copy[at] = (copy[at] as number) ^ (1 << random.below(8))
  return copy
}
