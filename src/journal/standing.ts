/**
 * What is asked before anything is acknowledged: whether the owner is still the owner, and, now and then, whether its
 * segments are still where it has them.
 */

import type { Epoch } from '../kernel/ids.ts'
import type { Closing, Fence } from './fence.ts'
import type { LogWatch } from './log-watch.ts'

export class Standing {
  readonly epoch: Epoch
  readonly attempt: number
  readonly #fence: Fence
  readonly #watch: LogWatch | undefined

  constructor(fence: Fence, watch: LogWatch | undefined) {
    this.epoch = fence.epoch
    this.attempt = fence.attempt
    this.#fence = fence
    this.#watch = watch
  }

  /** Where the device can read and write synchronously. @throws {VarveError} JOURNAL_CORRUPT — a segment has gone */
  holdsSync(): boolean {
    if (!this.#fence.holdsSync()) return false
    if (this.#watch === undefined || !this.#watch.due) return true
    try {
      this.#watch.lookSync()
      return true
    } catch (error) {
      // A successor has removed what it does not need.
      if (!this.#fence.holdsSync()) return false
      throw error
    }
  }

  /** As `holdsSync`, on any device. */
  async holds(): Promise<boolean> {
    if (!(await this.#fence.holds())) return false
    if (this.#watch === undefined || !this.#watch.due) return true
    try {
      await this.#watch.look()
      return true
    } catch (error) {
      if (!(await this.#fence.holds())) return false
      throw error
    }
  }

  close(closing: Closing): Promise<void> {
    return this.#fence.close(closing)
  }

  release(): Promise<void> {
    this.#watch?.close()
    return this.#fence.release()
  }
}
