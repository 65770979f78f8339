/**
 * Writes that wait while the shard holds writes back: encoded at once, because the caller may reuse its buffers, and
 * bounded in bytes, because nothing waits without bound. What has to happen between two of them waits among them.
 */

import { Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Durability } from '../journal/journal.ts'
import { Deferred } from './deferred.ts'
import type { KeepAlive } from './keep-alive.ts'
import type { Purpose } from './shard.ts'

export interface QueuedWrite {
  /** Operations one after the other, as the engine encodes them. */
  readonly bytes: Uint8Array
  readonly count: number
  readonly durability: Durability
  readonly purpose: Purpose
  readonly settled: Deferred<void>
}

/** Something to do when everything that was queued before it has been taken out. */
export interface QueuedTurn {
  readonly run: () => void
  readonly reject: (reason: unknown) => void
}

export class WriteQueue<Operation> {
  readonly #bytesMax: number
  readonly #encode: (operation: Operation, into: Encoder) => void
  readonly #keepAlive: KeepAlive
  #writes: (QueuedWrite | QueuedTurn)[] = []
  #next = 0
  #bytes = 0

  /** @param keepAlive held while anything waits */
  constructor(
    bytesMax: number,
    encode: (operation: Operation, into: Encoder) => void,
    { keepAlive }: { readonly keepAlive: KeepAlive },
  ) {
    this.#bytesMax = bytesMax
    this.#encode = encode
    this.#keepAlive = keepAlive
  }

  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#next === this.#writes.length
  }

  /** Rejects with BUSY where the queue is full; one write always fits, however large. */
  push(operations: readonly Operation[], durability: Durability, purpose: Purpose): Promise<void> {
    if (this.#bytes >= this.#bytesMax && !this.empty) return Promise.reject(this.#busy())
    const encoder = new Encoder()
    for (const operation of operations) this.#encode(operation, encoder)
    const settled = new Deferred<void>()
    this.#add({ bytes: encoder.finish(), count: operations.length, durability, purpose, settled })
    this.#bytes += encoder.length
    return settled.promise
  }

  /** Queues `turn` behind the writes there are. */
  pushTurn(turn: QueuedTurn): void {
    this.#add(turn)
  }

  shift(): QueuedWrite | QueuedTurn | undefined {
    const write = this.#writes[this.#next]
    if (write === undefined) return undefined
    this.#next++
    if ('bytes' in write) this.#bytes -= write.bytes.length
    if (this.#next === this.#writes.length || this.#next > 1024) {
      this.#writes = this.#writes.slice(this.#next)
      this.#next = 0
    }
    if (this.empty) this.#keepAlive.end()
    return write
  }

  rejectAll(reason: unknown): void {
    for (let write = this.shift(); write !== undefined; write = this.shift()) {
      if ('run' in write) write.reject(reason)
      else write.settled.reject(reason)
    }
  }

  /** Rejects the writes that store; the others keep their order. */
  rejectStores(reason: unknown): void {
    const waiting = this.#writes.slice(this.#next)
    if (waiting.length === 0) return
    this.#writes = []
    this.#next = 0
    for (const each of waiting) {
      if ('run' in each || each.purpose === 'free') {
        this.#writes.push(each)
      } else {
        this.#bytes -= each.bytes.length
        each.settled.reject(reason)
      }
    }
    if (this.empty) this.#keepAlive.end()
  }

  #add(waiting: QueuedWrite | QueuedTurn): void {
    if (this.empty) this.#keepAlive.begin()
    this.#writes.push(waiting)
  }

  #busy(): VarveError {
    return new VarveError(
      'BUSY',
      `writes are held back until flush and compaction catch up, and ${this.#bytes} bytes wait already; await earlier writes before issuing more, or raise queuedBytesMax`,
      { details: { pending: this.#bytes, limit: this.#bytesMax } },
    )
  }
}
