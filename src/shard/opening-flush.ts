/**
 * The flush that follows many openings, whatever they wrote.
 *
 * Every opening that writes leaves a piece of journal, which each later one has to open, check and replay until a flush
 * takes its place. A memtable that fills up brings one in time; a program that opens, writes a little and closes, or is
 * killed, never fills one. So openings since the last new file are counted, by the epochs in the names of files, which
 * costs no state. docs/decisions/0021-flush-after-openings.md.
 */

import type { Clock } from '../kernel/clock.ts'
import type { FileName, JournalPosition, ShardId } from '../kernel/ids.ts'
import { epochOf } from './file-names.ts'
import type { Progress } from './progress.ts'

// With 16 pieces an opening takes the 15 to 20 ms that it takes with one; the close that waits for the flush took 0.24 to 0.32 s.
const OPENINGS_MAX = 16
// Who is killed before a flush behind the opening is done has to wait for it from here on.
const OPENINGS_BEHIND_MAX = 2 * OPENINGS_MAX
// A flush of what short lives leave takes less; of files that are far away and do not answer, the next opening tries again.
const WAIT_MS_MAX = 5_000

/** What it needs of the shard around it. */
export interface OpeningFlushHost {
  readonly clock: Clock
  readonly progress: Progress
  /** Freezes what was replayed; gives where that ends, or undefined where there is nothing. */
  freeze(): JournalPosition | undefined
  /** Everything before is in files. */
  flushedTo(): JournalPosition
  /** No flush goes on now. */
  isStuck(): boolean
  /** Drops what is in files from the journal. */
  truncate(): Promise<void>
}

export class OpeningFlush {
  readonly #host: OpeningFlushHost
  #limit: JournalPosition | undefined

  constructor(host: OpeningFlushHost) {
    this.#host = host
  }

  /** Begins it where it is due. Resolves at once, or where too many did not live to see the end of theirs, at its end. */
  async begin(shard: ShardId, epoch: number, files: Iterable<FileName>): Promise<void> {
    // Who flushed last may have been killed between its commit and this.
    void this.#truncate()
    let last = 0
    for (const name of files) {
      const made = epochOf(name, shard)
      // Of a parent or the original: those count their own openings.
      if (made <= epoch) last = Math.max(last, made)
    }
    const openings = epoch - last
    if (openings <= OPENINGS_MAX) return
    this.#limit = this.#host.freeze()
    if (openings > OPENINGS_BEHIND_MAX) await this.end()
  }

  /** Waits for the flush that began, so that a short life brings it to an end too; not for one that fails. */
  async end(): Promise<void> {
    const limit = this.#limit
    if (limit === undefined) return
    const { clock, progress } = this.#host
    let late = false
    const timer = clock.after(WAIT_MS_MAX, () => {
      late = true
      progress.wake()
    })
    await progress.until(
      () => late || this.#host.flushedTo() >= limit || this.#host.isStuck(),
      () => undefined,
    )
    timer.cancel()
    // The flush does so itself, but has not ended when its commit has.
    if (this.#host.flushedTo() >= limit) await this.#truncate()
  }

  async #truncate(): Promise<void> {
    try {
      await this.#host.truncate()
    } catch {
      // Left to the next flush, or the next opening.
    }
  }
}
