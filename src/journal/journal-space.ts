/**
 * What the journals of one directory do when its disk is full.
 *
 *      roomy ──something meets NO_SPACE──► full: the reserve is given back, batches are refused
 *        ▲                                   │
 *        └────the reserve can be held again──┘
 *
 * A journal gives space back by writing: the header of another segment, the states of the shards of a shared log, what a
 * quiet shard still needs of the segment that goes, the fence of whoever opens it. That is done in the space of the
 * reserve, which no batch takes. docs/decisions/0027-full-journal-disk.md.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import { VarveError, isCode } from '../kernel/errors.ts'

// Asking the system takes microseconds; nobody who has made room minds so much.
const CHECK_MS = 500

/** A file that takes up space until it is needed: `LocalReserve`, as far as journals care. */
export interface JournalReserve {
  /** It was given back, by this process or an earlier one, and has not been set aside again. */
  readonly released: boolean
  /** Sets aside `bytes`, or as much as it may; false where as much again would not be left free. */
  hold(bytes: number): Promise<boolean>
  release(): Promise<void>
}

export interface JournalSpaceOptions {
  readonly reserve: JournalReserve
  /** To set aside, in bytes. */
  readonly bytes: number
  readonly clock: Clock
}

export class JournalSpace {
  readonly #reserve: JournalReserve
  readonly #bytes: number
  readonly #clock: Clock
  #refusal: VarveError | undefined
  #releasing: Promise<void> | undefined
  #asking = false
  /** Appended since it was last seen to that the reserve is there. */
  #appendedBytes = 0
  #timer: Timer | undefined
  #closed = false

  constructor({ reserve, bytes, clock }: JournalSpaceOptions) {
    this.#reserve = reserve
    this.#bytes = bytes
    this.#clock = clock
  }

  /** Where the reserve was given back and cannot be held, the disk is still full. */
  async start(): Promise<void> {
    if (this.#reserve.released && !(await this.#hold())) this.#enter()
  }

  get full(): boolean {
    return this.#refusal !== undefined
  }

  /** Why batches are refused. */
  get refusal(): VarveError | undefined {
    return this.#refusal
  }

  /** Something has met `error`. Resolves when the reserve, if that is what is needed, has been given back. */
  async met(error: unknown): Promise<void> {
    if (!isCode(error, 'NO_SPACE') || this.#closed) return
    this.#enter()
    await (this.#releasing ??= this.#release())
  }

  /** Does `work`, which writes no batches; in the space of the reserve where there is no other. */
  async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (!isCode(error, 'NO_SPACE')) throw error
      await this.met(error)
      return work()
    }
  }

  /** So much has been appended. */
  appended(bytes: number): void {
    this.#appendedBytes += bytes
    if (this.#appendedBytes < this.#bytes / 2 || this.#asking || this.full || this.#closed) return
    this.#appendedBytes = 0
    this.#asking = true
    void this.#hold().then(() => (this.#asking = false))
  }

  /** Looks whether there is space again. Returns at once. */
  check(): void {
    if (this.full && !this.#asking && !this.#closed) void this.#look()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #enter(): void {
    if (this.full) return
    const reason = 'batches are taken again by themselves once shards have flushed, or somebody has made room'
    this.#refusal = new VarveError('NO_SPACE', `the disk of the journals is full: ${reason}`)
    this.#watch()
  }

  #watch(): void {
    this.#timer = this.#clock.after(CHECK_MS, () => {
      this.check()
      this.#watch()
    })
  }

  async #look(): Promise<void> {
    this.#asking = true
    await this.#releasing
    if (await this.#hold()) {
      this.#releasing = undefined
      // What was refused in this turn has said so before anything is taken.
      await this.#clock.turn()
      // Somebody may have met a full disk meanwhile.
      if (this.#releasing === undefined && !this.#closed) {
        this.#refusal = undefined
        this.#timer?.cancel()
      }
    }
    this.#asking = false
  }

  async #release(): Promise<void> {
    try {
      await this.#reserve.release()
    } catch {
      // Then there is what space there is.
    }
  }

  /** Where asking fails, somebody will ask again. */
  #hold(): Promise<boolean> {
    return this.#reserve.hold(this.#bytes).catch(() => false)
  }
}
