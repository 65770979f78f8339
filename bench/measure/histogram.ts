/** Latencies in buckets that are 1.1 % wide, from a tenth of a microsecond to hours: small, and exact enough to compare. */

const BUCKETS_PER_OCTAVE = 64
const BUCKET_COUNT = 40 * BUCKETS_PER_OCTAVE
const UNIT_MS = 0.0001

export class Histogram {
  readonly #counts = new Float64Array(BUCKET_COUNT)
  #count = 0
  #maxMs = 0

  add(ms: number): void {
    const exact = Math.floor(Math.log2(Math.max(1, ms / UNIT_MS)) * BUCKETS_PER_OCTAVE)
    const bucket = Math.min(exact, BUCKET_COUNT - 1)
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#count++
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  get count(): number {
    return this.#count
  }

  get maxMs(): number {
    return this.#maxMs
  }

  /** Upper edge of the bucket below which this share of the latencies lies; 0 where there are none. */
  quantileMs(share: number): number {
    const wanted = Math.ceil(this.#count * share)
    let below = 0
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      below += this.#counts[bucket] as number
      if (below >= wanted && below > 0) {
        return Math.min(this.#maxMs, 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE) * UNIT_MS)
      }
    }
    return this.#maxMs
  }
}
