/**
 * What a shard does when its disk is full.
 *
 *      roomy ──something meets NO_SPACE──► full: the reserve is given back, operations that store are refused
 *        ▲                                   │
 *        └────the reserve can be held again──┘
 *
 * While it is full, what frees space goes on in the space of the reserve: deletions, flushes, compactions and commits. As
 * soon as there is space for the reserve and as much again, operations are taken as before; nobody has to reopen.
 *
 * Without a reserve every write finds out for itself. What was full may be a journal elsewhere, before any memtable is: what
 * it has goes into files then, so that it can go from there.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { MIB } from '../kernel/limits.ts'
import type { SpaceReserve } from '../fs/fs.ts'

// What people who have just made space will wait; asking the system takes microseconds.
const CHECK_MS = 1000
// A journal segment's header and some commits, where there are no files yet that a compaction would rewrite.
const HELD_BYTES_MIN = 1 * MIB

/** What the guard needs of the shard around it. */
export interface SpaceHost {
  /** Bytes of all files: a compaction writes no more. */
  fileBytes(): number
  /** Operations that store are refused from now on, with `reason`; or taken again. */
  refuse(reason: VarveError | undefined): void
  /** The reserve has been given back: there is space that was not there when jobs failed. */
  retry(): void
  /** The disk is full no more, as far as the reserve tells: what has no space all the same, such as inodes, is not seen there. */
  renew(): void
  /** The disk is still full. */
  tick(): void
}

export class SpaceGuard {
  readonly #reserve: SpaceReserve | undefined
  readonly #clock: Clock
  readonly #host: SpaceHost
  #full = false
  #crowded = false
  #releasing: Promise<void> | undefined
  #checking = false
  #timer: Timer | undefined
  #stopped = false

  constructor(reserve: SpaceReserve | undefined, clock: Clock, host: SpaceHost) {
    this.#reserve = reserve
    this.#clock = clock
    this.#host = host
  }

  get full(): boolean {
    return this.#full
  }

  /** Sets aside what has to be; where an earlier owner gave the reserve back and it cannot be, the disk is still full. */
  async start(): Promise<void> {
    const reserve = this.#reserve
    if (reserve?.released !== true) this.grow()
    else if (!(await reserve.hold(this.#wanted()).catch(() => false))) this.#enter()
  }

  /** Something has met `error`. Resolves when the reserve, if that is what is needed, has been given back. */
  async met(error: unknown): Promise<void> {
    if (!isNoSpace(error) || this.#stopped) return
    if (this.#reserve === undefined) {
      this.#crowded = true
      return
    }
    this.#enter()
    await (this.#releasing ??= this.#release(this.#reserve))
  }

  /** Whether something has met NO_SPACE, without a reserve, since this was last asked. */
  takeCrowded(): boolean {
    const crowded = this.#crowded
    this.#crowded = false
    return crowded
  }

  /** Looks whether there is space again. Returns at once. */
  check(): void {
    if (this.#full && !this.#checking) void this.#check()
  }

  /** Sets aside what the files call for by now. Returns at once. */
  grow(): void {
    const reserve = this.#reserve
    if (reserve === undefined || this.#full || this.#checking || this.#stopped) return
    const wanted = this.#wanted()
    // Asked again after every commit while it holds less: where there is no room yet, or so much that nothing is held.
    if (this.#host.fileBytes() === 0 || wanted <= reserve.heldBytes) return
    this.#checking = true
    void reserve
      .hold(wanted)
      .catch(() => false)
      .then(() => (this.#checking = false))
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #enter(): void {
    if (this.#full) return
    this.#full = true
    this.#host.refuse(
      new VarveError('NO_SPACE', 'the disk is full: only deletions are taken until there is space again'),
    )
    this.#watch()
  }

  async #release(reserve: SpaceReserve): Promise<void> {
    try {
      await reserve.release()
    } catch {
      // Then there is what space there is.
    }
    if (!this.#stopped) this.#host.retry()
  }

  #watch(): void {
    if (this.#stopped) return
    this.#timer = this.#clock.after(CHECK_MS, () => {
      this.check()
      this.#host.tick()
      this.#watch()
    })
  }

  async #check(): Promise<void> {
    this.#checking = true
    await this.#releasing
    // Where asking fails, somebody will ask again.
    const held = await (this.#reserve?.hold(this.#wanted()) ?? Promise.resolve(true)).catch(() => false)
    this.#checking = false
    if (!held || this.#stopped) return
    this.#full = false
    this.#releasing = undefined
    this.#timer?.cancel()
    this.#host.refuse(undefined)
    this.#host.renew()
  }

  /** A power of two: grows seldom. */
  #wanted(): number {
    return Math.max(HELD_BYTES_MIN, 2 ** Math.ceil(Math.log2(Math.max(1, this.#host.fileBytes()))))
  }
}

function isNoSpace(error: unknown): boolean {
  return isCode(error, 'NO_SPACE') || (isCode(error, 'JOB_FAILED') && error.details['causeCode'] === 'NO_SPACE')
}
