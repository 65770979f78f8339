/**
 * The flush loop: frozen memtables into files, oldest first, one at a time.
 *
 *      frozen ──► visible ──► job ──► commit ──► journal truncated
 *
 * One at a time and in order: when a memtable's files are committed, everything before its end is in files, and what the
 * journal has of it may be lost. A journal that would then end before its shard's files is synced first.
 */

import type { Clock } from '../kernel/clock.ts'
import { isCode } from '../kernel/errors.ts'
import type { VarveError } from '../kernel/errors.ts'
import { BackOff } from './back-off.ts'
import type { VersionFile } from './shard.ts'
import type { FrozenTable } from './table-stack.ts'

/** What the loop needs of the shard around it. */
export interface FlushHost<Table> {
  /** The oldest frozen memtable. */
  nextFrozen(): FrozenTable<Table> | undefined
  /** Resolves when its last operation is visible; rejects when it never will be. */
  untilVisible(slot: FrozenTable<Table>): Promise<void>
  writeFiles(slot: FrozenTable<Table>): Promise<readonly VersionFile[]>
  /** Commits `files` in the slot's place and truncates the journal. */
  commitFlush(slot: FrozenTable<Table>, files: readonly VersionFile[]): Promise<void>
  /** A flush has failed and will be tried again later: who waits for it hears now, from `stalledBy`, why. */
  stalled(error: unknown): void
  /** The shard can take no more commits. */
  failed(error: VarveError): void
}

export class Flusher<Table> {
  readonly #host: FlushHost<Table>
  readonly #backOff: BackOff
  #loop: Promise<void> | undefined
  #stopped = false
  /** Why there is a pause before the next attempt; of one that is under way, the one before says nothing. */
  stalledBy: Error | undefined

  constructor(host: FlushHost<Table>, clock: Clock, retryDelayMs: number) {
    this.#host = host
    this.#backOff = new BackOff(clock, retryDelayMs)
  }

  /** Starts flushing what is frozen, unless it is being done. */
  kick(): void {
    if (this.#stopped || this.#loop !== undefined) return
    this.#loop = this.#run().finally(() => {
      this.#loop = undefined
      // Frozen between the loop's last look and its end.
      if (!this.#stopped && this.#host.nextFrozen() !== undefined) this.kick()
    })
  }

  /** Does not wait any longer before another attempt. */
  retryNow(): void {
    this.#backOff.cancel()
  }

  /** As `retryNow`, and of what failed before nothing is said any more. */
  renew(): void {
    this.#backOff.renew()
  }

  /** Why no flush has succeeded for `ms` milliseconds, where one was tried. */
  failingFor(ms: number): Error | undefined {
    return this.#backOff.failingFor(ms)
  }

  /** Starts no other flush; resolves when none runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#backOff.cancel()
    await this.#loop
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const slot = this.#host.nextFrozen()
      // Where what failed was only the truncation behind a commit, the next one does it.
      if (slot === undefined) return
      try {
        await this.#host.untilVisible(slot)
        if (this.#stopped || this.#host.nextFrozen() !== slot) continue
        const files = await this.#host.writeFiles(slot)
        await this.#host.commitFlush(slot, files)
        this.#backOff.succeeded()
      } catch (error) {
        if (this.#stopped) return
        if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED', 'CLOSED')) {
          // For good: whoever tried again would write files that nobody can commit, and for as long as the process lives.
          this.#stopped = true
          this.#host.failed(error)
          return
        }
        this.stalledBy = error as Error
        const pause = this.#backOff.failed(this.stalledBy)
        this.#host.stalled(error)
        await pause
        this.stalledBy = undefined
      }
    }
  }
}
