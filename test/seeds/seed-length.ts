/** How long the run of a seed is, and what it says of itself. */

/** How long a run is. The same seed with another length is another history. */
export interface SeedLength {
  /** Lives of the shard. */
  readonly rounds: number
  /** Of each of three clients in each of them. */
  readonly calls: number
}

export const SEED_LENGTH: SeedLength = Object.freeze({ rounds: 4, calls: 12 })

export interface SeedReport {
  /** SHA-256 of everything that happened. */
  readonly hash: string
  readonly events: number
  readonly writes: number
  readonly rejected: number
  readonly crashes: number
  /** Calls on keys whose answers some order explains. */
  readonly checked: number
  /** How often what went wrong did: `write NO_SPACE`, `kill`. */
  readonly faults: Readonly<Record<string, number>>
}
