/** Where a reader of a table comes from: an open one, or one that has to be opened first. */

import type { Pending } from '../kernel/cursor.ts'
import type { BlockFetch } from './block-fetch.ts'
import type { TableReader } from './sst.ts'

/** A table that may have to be opened first. Synchronous; what it lacks it notes in the caller's fetch. */
export interface TableSource {
  /**
   * The reader, or PENDING after noting in `fetch` that it has to be opened. Good for synchronous use at once; whoever
   * keeps it over an `await` or a later call, to fill `fetch` too, keeps the source open or retains it for as long.
   */
  reader(fetch: BlockFetch): TableReader | Pending
  /** The reader, which is open, is not closed to make room until `fetch` is cleared: for who has asked it through `fetch`. */
  keepOpen(fetch: BlockFetch): void
  /** The reader is not closed to make room until `release` has been called as many times. */
  retain(): void
  /** Takes back one `retain`. */
  release(): void
}
