/**
 * Urgent jobs before ordinary ones, where their threads and the program's outnumber the cores.
 *
 * Writes wait for a flush, and nobody for a merge: as long as urgent jobs run, ordinary ones stand still between two steps.
 * By `nice` alone three threads share two cores, and the program's is slowed: of 200,000 puts a second, issued by the clock,
 * 99.9 of 100 took twice as long (docs/performance-notes.md).
 */

/** Memory that the scheduler and its workers share: 1 while ordinary jobs should stand still. */
export type PrecedenceCell = Int32Array<SharedArrayBuffer>

/** The scheduler's side: counts jobs. */
export class Precedence {
  readonly cell: PrecedenceCell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #cores: number
  #urgent = 0
  #ordinary = 0

  /** @param cores that this process may use */
  constructor(cores: number) {
    this.#cores = cores
  }

  begin(urgent: boolean): void {
    this.#count(urgent, 1)
  }

  end(urgent: boolean): void {
    this.#count(urgent, -1)
  }

  #count(urgent: boolean, by: 1 | -1): void {
    if (urgent) this.#urgent += by
    else this.#ordinary += by
    // One more for the program's own thread.
    const outnumbered = this.#urgent > 0 && this.#urgent + this.#ordinary + 1 > this.#cores
    Atomics.store(this.cell, 0, outnumbered ? 1 : 0)
    if (!outnumbered) Atomics.notify(this.cell, 0)
  }
}

// Longer than a flush of 32 MiB takes.
const STAND_MS_MAX = 200

/** An ordinary worker's side. */
export class GivingWay {
  readonly #cell: PrecedenceCell
  readonly #now: () => number
  /** How long it may stand: what it has worked since, up to the most. Where flushes never end, it works half of the time. */
  #leftMs = STAND_MS_MAX
  /** When that was. */
  #sinceMs = -Infinity

  /** @param now in milliseconds, monotonic */
  constructor(cell: PrecedenceCell, now: () => number) {
    this.#cell = cell
    this.#now = now
  }

  /** Blocks the thread while urgent jobs run, for 200 ms at most. */
  giveWay(): void {
    if (Atomics.load(this.#cell, 0) === 0) return
    const startMs = this.#now()
    this.#leftMs = Math.min(STAND_MS_MAX, this.#leftMs + startMs - this.#sinceMs)
    this.#sinceMs = startMs
    if (this.#leftMs < 1) return
    Atomics.wait(this.#cell, 0, 1, this.#leftMs)
    this.#sinceMs = this.#now()
    this.#leftMs -= this.#sinceMs - startMs
  }
}
