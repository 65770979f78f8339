/**
 * Removing files: only by the owner of the shard they belong to, only what no committed version and no pin references.
 *
 * Files of another shard, which a clone refers to, are not removed here: the pin that keeps them there is changed.
 *
 * A removal that fails leaves an orphan; orphans are found by reference when the next owner opens the shard. Only names
 * of earlier epochs are judged then: what this epoch makes is known in memory.
 */

import type { Hash } from '../kernel/hash.ts'
import type { Epoch, FileName, ShardId } from '../kernel/ids.ts'
import type { ManifestState } from './edit.ts'
import { byOwner, epochOf, ownerOf } from './file-names.ts'
import type { HeadContent, Pin } from './head-content.ts'
import { manifestFiles, removedFiles } from './manifest.ts'
import { changePin, clonePin } from './pins.ts'
import type { ShardPlace } from './shard.ts'

export class FileRemover {
  readonly #shard: ShardId
  readonly #place: ShardPlace
  readonly #pins: () => readonly Pin[]
  readonly #inFlight = new Set<Promise<void>>()
  /** Of other shards: let go with what is removed next. */
  #stillPinned: FileName[] = []

  /** @param pins what the head of this shard pins now */
  constructor(shard: ShardId, place: ShardPlace, pins: () => readonly Pin[]) {
    this.#shard = shard
    this.#place = place
    this.#pins = pins
  }

  /** Removes files that no version references any more. Returns at once. */
  remove(names: readonly FileName[]): void {
    const pinned = this.#stillPinned
    this.#stillPinned = []
    for (const [owner, owned] of byOwner([...pinned, ...names])) {
      if (owner === this.#shard) this.#start(() => this.#removeOwn(owned))
      else this.#start(() => this.#letGo(owner, owned))
    }
  }

  /**
   * Removes what earlier owners left behind: listed, of an earlier epoch, referenced by nothing. Where a file that is
   * referenced is not there, nothing: the head may be another's, and what looks left behind all that there is. Of other shards
   * it lets go what an earlier owner has dropped: where that one died before it did, nobody else would.
   */
  async removeOrphans(epoch: Epoch, head: HeadContent, manifest: ManifestState, hash: Hash): Promise<void> {
    const listed = new Set((await this.#place.files.list(`${this.#shard}.`)).map(({ name }) => name))
    const referenced = new Set([...manifest.files.keys(), ...manifestFiles(head).map(({ name }) => name)])
    for (const name of referenced) if (ownerOf(name) === this.#shard && !listed.has(name)) return
    this.remove([...listed].filter((name) => !referenced.has(name) && epochOf(name, this.#shard) < epoch))
    const dropped = await removedFiles(head, this.#place.files, hash, `head of ${this.#shard}`)
    this.remove([...dropped].filter((name) => ownerOf(name) !== this.#shard && !manifest.files.has(name)))
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight)
  }

  async #removeOwn(names: readonly FileName[]): Promise<void> {
    const pinned = new Set(this.#pins().flatMap((pin) => pin.files))
    await this.#place.files.remove(names.filter((name) => !pinned.has(name)))
  }

  async #letGo(owner: ShardId, names: readonly FileName[]): Promise<void> {
    const gone = new Set(names)
    try {
      await changePin(this.#place.heads, owner, clonePin(this.#shard), (files) =>
        files.filter((name) => !gone.has(name)),
      )
    } catch {
      this.#stillPinned.push(...names)
    }
  }

  #start(work: () => Promise<void>): void {
    const removal = work().catch(() => undefined)
    this.#inFlight.add(removal)
    void removal.then(() => this.#inFlight.delete(removal))
  }
}
