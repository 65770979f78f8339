/**
 * Deletions that scans came by.
 *
 * A queue that is read from its front and deleted there leaves a run of deletions before its first entry, and every
 * reader passes all of them, until a memtable is full and has been compacted. So where many have been passed, what there
 * is is flushed, and compaction can drop them. (RocksDB compacts tables where deletions are dense, LevelDB where seeks
 * were wasted; here it is what readers met that counts.)
 */

// Some 40 ms of passing, at 0.33 µs each. A queue then flushes after every 500 entries or so (docs/performance-notes.md has
// what more and fewer did).
const PASSED_MAX = 128 * 1024

// With so many files in level 0, compaction is behind, or there is none (fifo): one more would only be one more to read.
const LEVEL0_FILES_MAX = 16

/** What it needs of the shard. */
export interface PassedDeletionsHost {
  flush(): Promise<void>
  readonly view: { readonly version: { readonly shape: { readonly levels: readonly (readonly unknown[])[] } } }
}

export class PassedDeletions {
  readonly #host: PassedDeletionsHost
  #count = 0
  #flushing = false

  constructor(host: PassedDeletionsHost) {
    this.#host = host
  }

  add(count: number): void {
    this.#count += count
    if (this.#count < PASSED_MAX || this.#flushing) return
    this.#count = 0
    const level0 = this.#host.view.version.shape.levels[0]
    if (level0 !== undefined && level0.length >= LEVEL0_FILES_MAX) return
    this.#flushing = true
    // Where it fails, or nothing may be written, readers go on passing them.
    const over = (): void => void (this.#flushing = false)
    this.#host.flush().then(over, over)
  }
}
