/**
 * The one committer of a shard: every change of its head goes through here, one after the other.
 *
 * A compare-and-set that fails is not yet a defeat: others may add and remove their own pins, and an answer may have been
 * lost. So a conflict means to read again:
 *
 *      higher epoch, or another owner     FENCED, for good
 *      our owner, the attempted commit    it had succeeded
 *      our owner, the commit before it    somebody changed pins: take theirs, try again
 *      anything older                     FENCED: somebody deleted the newest
 */

import { Mutex } from 'async-mutex'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { Head, HeadStore, HeadVersion } from '../fs/fs.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent, Pin } from './head-content.ts'
import { ImpatientHeads } from './impatient-stores.ts'

/** What an owner may change; the rest is the committer's or belongs to others. */
export type HeadChange = Partial<Pick<HeadContent, 'journalState' | 'base' | 'deltas' | 'edits' | 'succession'>> & {
  /** Changes pins of this owner's; asked again when others have changed theirs meanwhile. */
  readonly changePins?: (pins: readonly Pin[]) => readonly Pin[]
}

export class Committer {
  #heads: HeadStore
  /** As they are: whose the shard is may be asked also when nothing is committed any more. */
  readonly #asked: HeadStore
  readonly #shard: ShardId
  #version: HeadVersion
  #content: HeadContent
  readonly #turn = new Mutex()
  #failure: VarveError | undefined

  /** @param content what is stored at `version`, with this owner's epoch and nonce in it */
  constructor(heads: HeadStore, shard: ShardId, version: HeadVersion, content: HeadContent) {
    this.#heads = heads
    this.#asked = heads
    this.#shard = shard
    this.#version = version
    this.#content = content
  }

  /** Commits that are under way when `signal` aborts are given up, and so is every one after it. */
  endWith(signal: AbortSignal): void {
    this.#heads = new ImpatientHeads(this.#heads, signal)
  }

  /** What was committed last. */
  get content(): HeadContent {
    return this.#content
  }

  /**
   * Commits what `change` makes of the current content, after every commit asked for before.
   *
   * @throws {VarveError} FENCED — another owner has the shard
   * @throws {VarveError} OUTCOME_UNKNOWN — the head could not be read back; nothing more can be committed
   */
  commit(change: (content: HeadContent) => HeadChange | Promise<HeadChange>): Promise<HeadContent> {
    return this.#turn.runExclusive(() => this.#commit(change))
  }

  /** Reads the head again. @throws {VarveError} FENCED — it is not ours any more */
  async check(): Promise<void> {
    const head = await this.#asked.read(this.#shard)
    if (head === undefined) throw this.#gone()
    this.#compareOwner(decodeHead(head.content, `head of ${this.#shard}`))
  }

  /**
   * As `check`, for whoever fails perhaps because there is another owner, who removes what it does not need.
   *
   * @returns why nobody can say, where the head cannot be read
   */
  async hearIfLost(lost: (error: VarveError) => void): Promise<Error | undefined> {
    try {
      await this.check()
    } catch (error) {
      if (!isCode(error, 'FENCED')) return error as Error
      lost(error)
    }
    return undefined
  }

  async #commit(change: (content: HeadContent) => HeadChange | Promise<HeadChange>): Promise<HeadContent> {
    if (this.#failure !== undefined) throw this.#failure
    const { changePins, ...changed } = await change(this.#content)
    const commit = this.#content.commit + 1
    for (;;) {
      const pins = changePins?.(this.#content.pins) ?? this.#content.pins
      const attempt: HeadContent = { ...this.#content, ...changed, pins, commit }
      try {
        this.#version = await this.#heads.compareAndSet(this.#shard, this.#version, encodeHead(attempt))
        this.#content = attempt
        return attempt
      } catch (error) {
        if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
        const head = await this.#readBack(error)
        const found = decodeHead(head.content, `head of ${this.#shard}`)
        this.#compareOwner(found)
        // Of ours, but older: the newest was deleted, and what was committed since must not be built on this one.
        if (found.commit !== commit && found.commit !== commit - 1) throw this.#gone()
        this.#version = head.version
        this.#content = found
        if (found.commit === commit) return found
      }
    }
  }

  async #readBack(cause: unknown): Promise<Head> {
    let head: Head | undefined
    try {
      head = await this.#heads.read(this.#shard)
    } catch {
      this.#failure = new VarveError(
        'OUTCOME_UNKNOWN',
        `a commit of ${this.#shard} may or may not have happened, and its head cannot be read`,
        {
          cause,
          details: { operation: 'commit' },
        },
      )
      throw this.#failure
    }
    if (head === undefined) throw this.#gone()
    return head
  }

  #compareOwner(found: HeadContent): void {
    if (found.epoch < this.#content.epoch) throw this.#gone()
    if (found.epoch !== this.#content.epoch || found.owner !== this.#content.owner) {
      throw this.#fenced(`has another owner: epoch ${found.epoch} has taken over from epoch ${this.#content.epoch}`)
    }
  }

  #gone(): VarveError {
    return this.#fenced(
      'cannot be written any more: the head is gone, deleted or moved; put it back and open the shard again',
    )
  }

  #fenced(reason: string): VarveError {
    this.#failure = new VarveError('FENCED', `shard ${this.#shard} ${reason}`, {
      details: { epoch: this.#content.epoch },
    })
    return this.#failure
  }
}
