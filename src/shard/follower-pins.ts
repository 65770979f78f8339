/**
 * The pin of a follower: what it shows, and what somebody still reads of what it has shown before.
 *
 * Files of other shards are pinned in the heads of these. The pin in the head of the shard itself names them, too: one that
 * begins under the name of a follower that has died learns from it where there are others to let go of.
 */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type { HeadStore } from '../fs/fs.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import { byOwner } from './file-names.ts'
import { changePin, withoutFiles, withPin } from './pins.ts'
import type { PresentHead } from './stored-head.ts'

export class FollowerPins {
  readonly #shard: ShardId
  readonly #heads: HeadStore
  readonly #name: string
  /** Files that are shown, or that a view from before still sees. */
  #held = new Set<FileName>()
  /** Other shards that have a pin of ours. */
  readonly #owners = new Set<ShardId>()

  /** @param follower its name, of at least one character */
  constructor(shard: ShardId, heads: HeadStore, follower: string) {
    if (follower === '') throw new RangeError('the name of a pin must not be empty')
    this.#shard = shard
    this.#heads = heads
    // A clone pins files of several shards under its own name: a follower of it must not be taken for one of theirs.
    this.#name = `follower:${shard}:${follower}`
  }

  /**
   * Pins `files`, which are those of `head`, beside what is held.
   *
   * @returns false — the head has changed: what it refers to may have gone before it was pinned
   */
  async keep({ stored, content }: PresentHead, files: readonly FileName[]): Promise<boolean> {
    const wanted = new Set([...this.#held, ...files])
    const owned = new Map(byOwner([...wanted]))
    owned.delete(this.#shard)
    this.#learn(content)
    // Others' first: as long as the head refers to a file of theirs, its shard has a pin there.
    for (const [owner, names] of owned) {
      // At once: by the time the head has changed it may need nothing of that one any more.
      this.#owners.add(owner)
      await changePin(this.#heads, owner, this.#name, () => names)
    }
    for (const owner of this.#owners)
      if (!owned.has(owner)) await changePin(this.#heads, owner, this.#name, withoutFiles)
    const pins = withPin(content.pins, this.#name, () => [...wanted])
    try {
      // Also where the pin says so already: what matters is that the head has not changed.
      await this.#heads.compareAndSet(this.#shard, stored.version, encodeHead({ ...content, pins }))
    } catch (error) {
      if (isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) return false
      if (isCode(error, 'READ_ONLY')) throw noPin(this.#shard, error)
      throw error
    }
    this.#owners.clear()
    for (const owner of owned.keys()) this.#owners.add(owner)
    this.#held = wanted
    return true
  }

  /** Which shards have a pin of this name, as far as the head tells. */
  #learn({ pins }: HeadContent): void {
    const pin = pins.find(({ name }) => name === this.#name)
    for (const owner of byOwner(pin?.files ?? []).keys()) if (owner !== this.#shard) this.#owners.add(owner)
  }

  /** Nobody reads `files` any more. They are let go with the next `keep`: by then the head has to be written anyway. */
  release(files: readonly FileName[]): void {
    for (const name of files) this.#held.delete(name)
  }

  /** Lets go of everything, also of what one of this name that has died has pinned. */
  async clear(): Promise<void> {
    const head = await this.#heads.read(this.#shard)
    if (head !== undefined) this.#learn(decodeHead(head.content, `head of ${this.#shard}`))
    // The one that tells of the others goes last.
    for (const owner of [...this.#owners, this.#shard]) await changePin(this.#heads, owner, this.#name, withoutFiles)
  }
}

function noPin(shard: ShardId, cause: VarveError): VarveError {
  const message = `a pin is written to the head of shard ${shard}, which can only be read here: follow without a pin`
  return new VarveError('READ_ONLY', message, { details: cause.details, cause })
}
