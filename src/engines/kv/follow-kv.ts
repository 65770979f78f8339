/** Following a key-value shard that is open elsewhere. */

import type { Clock, Timer } from '../../kernel/clock.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import { Follower } from '../../shard/follower.ts'
import type { FollowOptions, FollowerState } from '../../shard/follower.ts'
import type { KvOpenOptions } from './kv.ts'
import type { KvShard } from './kv-shard.ts'
import type { Levels } from './levels.ts'
import { openWith } from './open-kv.ts'
import type { KvComponents } from './open-kv.ts'

/** How a follower is opened. What a follower does not do, such as flushing, its settings are not asked about. */
export interface KvFollowOptions extends Pick<KvOpenOptions, 'settings' | 'order'>, FollowOptions {
  /**
   * Refreshes by itself, so many milliseconds after the last refresh has ended; above 0. Default: only when it is asked
   * to.
   */
  readonly everyMs?: number
  /** Hears of a refresh of its own that has failed; the next one is made all the same. */
  readonly onError?: (error: unknown) => void
}

interface Polling {
  readonly clock: Clock
  readonly everyMs: number
  readonly onError: (error: unknown) => void
}

type KvFollowing = Follower<OrderedOperation, OrderedMemtable, Levels>

/** A reader of a shard that somebody else writes. */
export class KvFollower {
  /** What was read at the last refresh. Writes reject with READ_ONLY. */
  readonly db: KvShard
  readonly #follower: KvFollowing
  #timer: Timer | undefined
  #closed = false

  /** Use `followKv`. */
  constructor(db: KvShard, follower: KvFollowing, polling: Polling | undefined) {
    this.db = db
    this.#follower = follower
    if (polling !== undefined) this.#refreshLater(polling)
  }

  /** How far it has come, and how stale that is now. */
  get state(): FollowerState {
    return this.#follower.state
  }

  /**
   * Shows everything that the owner has acknowledged before the call.
   *
   * @throws {VarveError} CLOSED; FILE_MISSING and other damage; what the components throw. What was shown stays shown
   */
  refresh(signal?: AbortSignal): Promise<FollowerState> {
    return this.#follower.refresh(signal)
  }

  /** Ends reads, then lets go of its pin. Idempotent. */
  close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    return this.db.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #refreshLater(polling: Polling): void {
    this.#timer = polling.clock.after(polling.everyMs, () => void this.#refreshAndAgain(polling))
  }

  async #refreshAndAgain(polling: Polling): Promise<void> {
    try {
      await this.refresh()
    } catch (error) {
      if (!this.#closed) polling.onError(error)
    }
    if (!this.#closed) this.#refreshLater(polling)
  }
}

/**
 * Opens a shard to read it while somebody else writes it, and to see what they write.
 *
 * @throws {TypeError} {RangeError} an option or setting is wrong
 * @throws {VarveError} what `Follower.start` throws
 */
export async function followKv(components: KvComponents, options: KvFollowOptions = {}): Promise<KvFollower> {
  const { everyMs, onError, pin, signal, ...opening } = options
  if (everyMs !== undefined && !(everyMs > 0)) throw new RangeError(`everyMs must be above 0, got ${everyMs}`)
  const found: KvFollowing[] = []
  const db = await openWith(components, { ...opening, readOnly: true }, async (engine, settings) => {
    const following = { settings, ...(pin === undefined ? {} : { pin }), ...(signal === undefined ? {} : { signal }) }
    const follower = await Follower.start(components, engine, following)
    found.push(follower)
    return follower.shard
  })
  const { clock } = components
  const polling = everyMs === undefined ? undefined : { clock, everyMs, onError: onError ?? ((): void => undefined) }
  return new KvFollower(db, found[0] as KvFollowing, polling)
}
