/**
 * A wire that loses, repeats, swaps, delays and damages what is sent over it, and is cut: by chance from a seed.
 *
 * What a program sends in one turn is one piece. TCP keeps pieces in order or ends; middle boxes, and bugs, do not.
 */

import type { Clock } from '../kernel/clock.ts'
import { concatBytes, copyOf } from '../kernel/bytes.ts'
import type { Dial, Wire, WireReceiver } from '../rpc/rpc.ts'
import type { SeededRandom } from './seeded-random.ts'

/** How often: one piece in so many. Default: never. */
export interface WireFaults {
  /** Lost. */
  readonly dropsOnceIn?: number
  /** Sent twice. */
  readonly repeatsOnceIn?: number
  /** Sent behind the next one. */
  readonly swapsOnceIn?: number
  /** A bit of it is another. */
  readonly damagesOnceIn?: number
  /** The wire ends in its place. */
  readonly cutsOnceIn?: number
  /** Turns of the event loop a piece takes at most. Default 0. */
  readonly delayTurnsMax?: number
}

/** Of all wires that one dial makes. */
export interface FaultyWireOptions {
  /** Decides; the same seed and the same pieces, the same faults. */
  readonly random: SeededRandom
  /** Only its turns are used. */
  readonly clock: Clock
  /** Which, and how often. */
  readonly faults: WireFaults
}

/** Dials as `dial` does, over wires that fail. */
export function faultyDial(dial: Dial, options: FaultyWireOptions): Dial {
  return async (signal) => new FaultyWire(await dial(signal), options)
}

/** A wire over another, with faults on the way both ways. */
export class FaultyWire implements Wire {
  readonly #inner: Wire
  readonly #out: Pieces
  readonly #in: Pieces
  #receiver: WireReceiver | undefined

  /** @param inner this wire's own from now on */
  constructor(inner: Wire, options: FaultyWireOptions) {
    this.#inner = inner
    const cut = (): void => inner.destroy()
    this.#out = new Pieces(options, (bytes) => inner.send([bytes]), cut)
    this.#in = new Pieces(options, (bytes) => this.#receiver?.received(bytes), cut)
  }

  /** From now on nothing arrives on either side, and neither is told. */
  silence(): void {
    this.#out.silenced = true
    this.#in.silenced = true
  }

  get peer(): string {
    return this.#inner.peer
  }

  get safety(): Wire['safety'] {
    return this.#inner.safety
  }

  get certified(): readonly string[] {
    return this.#inner.certified
  }

  get certifiedUntilMs(): number | undefined {
    return this.#inner.certifiedUntilMs
  }

  get distrust(): string | undefined {
    return this.#inner.distrust
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes
  }

  listen(receiver: WireReceiver): void {
    this.#receiver = receiver
    this.#inner.listen({
      received: (bytes) => this.#in.push(bytes),
      drained: () => receiver.drained(),
      ended: (reason) => {
        this.#receiver = undefined
        receiver.ended(reason)
      },
    })
  }

  send(parts: readonly Uint8Array[]): void {
    this.#out.push(concatBytes(parts))
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  end(): void {
    void this.#out.idle().then(() => this.#inner.end())
  }

  destroy(): void {
    this.#inner.destroy()
  }
}

/** What goes one way. */
class Pieces {
  readonly #options: FaultyWireOptions
  readonly #deliver: (bytes: Uint8Array) => void
  readonly #cut: () => void
  #held: Uint8Array | undefined
  #last: Promise<void> = Promise.resolve()
  silenced = false

  constructor(options: FaultyWireOptions, deliver: (bytes: Uint8Array) => void, cut: () => void) {
    this.#options = options
    this.#deliver = deliver
    this.#cut = cut
  }

  push(bytes: Uint8Array): void {
    const { random, faults } = this.#options
    const happens = (onceIn: number | undefined): boolean => onceIn !== undefined && random.once(onceIn)
    if (this.silenced || happens(faults.dropsOnceIn)) return
    const piece = copyOf(bytes)
    if (happens(faults.damagesOnceIn)) {
      const at = random.below(piece.length)
      piece[at] = (piece[at] as number) ^ (1 << random.below(8))
    }
    if (this.#held === undefined && happens(faults.swapsOnceIn)) {
      this.#held = piece
      return
    }
    this.#later(piece)
    if (happens(faults.repeatsOnceIn)) this.#later(piece)
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#later(held)
    if (happens(faults.cutsOnceIn)) this.#last = this.#last.then(() => this.#cut())
  }

  idle(): Promise<void> {
    return this.#last
  }

  #later(piece: Uint8Array): void {
    const { random, faults, clock } = this.#options
    const turns = faults.delayTurnsMax === undefined ? 0 : random.below(faults.delayTurnsMax + 1)
    this.#last = this.#last.then(async () => {
      for (let left = turns; left > 0; left--) await clock.turn()
      if (!this.silenced) this.#deliver(piece)
    })
  }
}
