/** Appends that were sent and not answered, and those that are written and not known to be synced. */

import type { VarveError } from '../../kernel/errors.ts'
import { Deferred } from '../deferred.ts'
import type { Durability } from '../journal.ts'

export interface InFlight {
  readonly position: number
  readonly payload: Uint8Array
  readonly durability: Durability
  readonly written: Deferred
  readonly synced: Deferred | undefined
  /** Some of it may be at the service, or on the way there. */
  sent: boolean
  /** Answered, and waiting for those before it. */
  answered: boolean
}

export class AppendsInFlight {
  readonly bytesMax: number
  /** In order of append. */
  readonly #unwritten: InFlight[] = []
  readonly #unsynced = new Set<InFlight>()
  #bytes = 0
  #waiting: Deferred[] = []
  #failure: VarveError | undefined

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** Of those not written. */
  get bytes(): number {
    return this.#bytes
  }

  get failure(): VarveError | undefined {
    return this.#failure
  }

  get unwritten(): readonly InFlight[] {
    return this.#unwritten
  }

  /** Nobody but this owner knows of any that is not written. */
  get unsent(): boolean {
    return this.#unwritten.every(({ sent }) => !sent)
  }

  get unsynced(): ReadonlySet<InFlight> {
    return this.#unsynced
  }

  /** Nothing before this will be sent again. @param end where the journal ends */
  acknowledged(end: number): number {
    const unwritten = this.#unwritten[0]?.position ?? end
    // They become unsynced in order.
    for (const { position } of this.#unsynced) return Math.min(position, unwritten)
    return unwritten
  }

  add(position: number, payload: Uint8Array, durability: Durability): InFlight {
    const synced = durability === 'synced' ? new Deferred() : undefined
    const entry = { position, payload, durability, written: new Deferred(), synced, sent: false, answered: false }
    this.#unwritten.push(entry)
    this.#bytes += payload.length
    return entry
  }

  /** Whether anybody still waits for it. */
  has(entry: InFlight): boolean {
    return this.#unsynced.has(entry) || this.#unwritten.includes(entry)
  }

  /** It is written. It is acknowledged when those before it are. */
  written(entry: InFlight): void {
    entry.answered = true
    for (let first = this.#unwritten[0]; first?.answered === true; first = this.#unwritten[0]) {
      this.#unwritten.shift()
      this.#bytes -= first.payload.length
      if (first.synced !== undefined) this.#unsynced.add(first)
      first.written.resolve()
    }
    this.#wake()
  }

  /** It is synced, and acknowledged to be when it is to be written. */
  synced(entry: InFlight): void {
    void entry.written.promise.then(
      () => {
        this.#unsynced.delete(entry)
        entry.synced?.resolve()
      },
      () => undefined,
    )
  }

  /** Rejects `entry` and everything after it: they are not there. @returns payload bytes of them */
  takeBack(entry: InFlight, error: VarveError): number {
    const rest = this.#unwritten.splice(this.#unwritten.indexOf(entry))
    let bytes = 0
    for (const { payload, written, synced } of rest) {
      bytes += payload.length
      written.reject(error)
      synced?.reject(error)
    }
    this.#bytes -= bytes
    this.#wake()
    return bytes
  }

  /** Rejects all of them, and whoever waits. */
  fail(reason: VarveError): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    for (const { written, synced } of [...this.#unwritten.splice(0), ...this.#unsynced]) {
      written.reject(reason)
      synced?.reject(reason)
    }
    this.#unsynced.clear()
    this.#bytes = 0
    this.#wake()
  }

  /** Resolves when at most `bytesMax` bytes are not written. */
  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#bytes <= this.bytesMax) return
    const waiter = new Deferred()
    this.#waiting.push(waiter)
    await waiter.promise
  }

  /** Waits until everything appended so far is answered, or never will be. */
  async settled(): Promise<void> {
    await this.#unwritten.at(-1)?.written.promise.catch(() => undefined)
  }

  #wake(): void {
    const failure = this.#failure
    if (failure === undefined && this.#bytes > this.bytesMax) return
    for (const waiter of this.#waiting.splice(0)) {
      if (failure === undefined) waiter.resolve()
      else waiter.reject(failure)
    }
  }
}
