/**
 * Writes that wait while the shard holds writes back, bounded in bytes, because nothing waits without bound. What has to
 * happen between two of them waits among them.
 *
 * Waiting must cost less than not waiting, or a shard that fell behind once never catches up while writes go on coming: so
 * they wait in runs. With a buffer, a promise and a group's promise for each, 100,000 puts a second, issued by the clock, had
 * a backlog of 16 s after 10 where 200,000 a second are taken without one.
 */

import type { Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Durability } from '../journal/journal.ts'
import type { KeepAlive } from './keep-alive.ts'
import type { Purpose } from './shard.ts'
import { WriteRun } from './write-run.ts'

/** Something to do when everything that was queued before it has been taken out. */
export interface QueuedTurn {
  readonly run: () => void
  readonly reject: (reason: unknown) => void
}

export class WriteQueue<Operation> {
  readonly #bytesMax: number
  readonly #runBytesMax: number
  readonly #encode: (operation: Operation, into: Encoder) => void
  readonly #keepAlive: KeepAlive
  #waiting: (WriteRun | QueuedTurn)[] = []
  #next = 0
  #bytes = 0

  /**
   * @param runBytesMax a run of as many bytes takes no further write
   * @param keepAlive held while anything waits
   */
  constructor(
    { bytesMax, runBytesMax }: { readonly bytesMax: number; readonly runBytesMax: number },
    encode: (operation: Operation, into: Encoder) => void,
    { keepAlive }: { readonly keepAlive: KeepAlive },
  ) {
    this.#bytesMax = bytesMax
    this.#runBytesMax = runBytesMax
    this.#encode = encode
    this.#keepAlive = keepAlive
  }

  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#next === this.#waiting.length
  }

  /** Rejects with BUSY where the queue is full; one write always fits, however large. */
  push(operations: readonly Operation[], durability: Durability, purpose: Purpose): Promise<void> {
    if (this.#bytes >= this.#bytesMax && !this.empty) return Promise.reject(this.#busy())
    const run = this.#runFor(purpose)
    const before = run.length
    const promise = run.add(operations, durability, this.#encode)
    this.#bytes += run.length - before
    return promise
  }

  /** Queues `turn` behind the writes there are. */
  pushTurn(turn: QueuedTurn): void {
    this.#add(turn)
  }

  shift(): WriteRun | QueuedTurn | undefined {
    const first = this.#waiting[this.#next]
    if (first === undefined) return undefined
    this.#next++
    if (first instanceof WriteRun) this.#bytes -= first.length
    if (this.#next === this.#waiting.length || this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    if (this.empty) this.#keepAlive.end()
    return first
  }

  rejectAll(reason: unknown): void {
    for (let first = this.shift(); first !== undefined; first = this.shift()) first.reject(reason)
  }

  /** Rejects writes, of one purpose or all; the rest, and turns, keep their order. */
  rejectWrites(reason: unknown, purpose?: Purpose): void {
    const waiting = this.#waiting.slice(this.#next)
    if (waiting.length === 0) return
    this.#waiting = []
    this.#next = 0
    for (const each of waiting) {
      if (each instanceof WriteRun && (purpose === undefined || each.purpose === purpose)) {
        this.#bytes -= each.length
        each.reject(reason)
      } else {
        this.#waiting.push(each)
      }
    }
    if (this.empty) this.#keepAlive.end()
  }

  /** The run that is added to last, if it takes more. */
  #runFor(purpose: Purpose): WriteRun {
    const last = this.empty ? undefined : this.#waiting[this.#waiting.length - 1]
    if (last instanceof WriteRun && last.purpose === purpose && last.length < this.#runBytesMax) return last
    const run = new WriteRun(purpose)
    this.#add(run)
    return run
  }

  #add(waiting: WriteRun | QueuedTurn): void {
    if (this.empty) this.#keepAlive.begin()
    this.#waiting.push(waiting)
  }

  #busy(): VarveError {
    return new VarveError(
      'BUSY',
      `writes are held back until flush and compaction catch up, and ${this.#bytes} bytes wait already; await earlier writes before issuing more, or raise queuedBytesMax`,
      { details: { pending: this.#bytes, limit: this.#bytesMax } },
    )
  }
}
