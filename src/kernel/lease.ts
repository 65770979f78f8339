/** Memory that is used for something else once nobody has a part of it. */
export interface Lease {
  /** The caller has a part of it until he leaves. Who forgets to leave only keeps it from being used again. */
  use(): void
  /** The caller has no part of it any more. Once for each `use`. */
  leave(): void
}
