/**
 * Removing files: only by the owner, only what no committed version and no pin references.
 *
 * A removal that fails leaves an orphan; orphans are found by reference when the next owner opens the shard. Only names
 * of earlier epochs are judged then: what this epoch makes is known in memory.
 */

import type { Epoch, FileName, ShardId } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import type { HeadContent, Pin } from './head-content.ts'
import { manifestFiles } from './manifest.ts'
import type { ManifestState } from './edit.ts'

export class FileRemover {
  readonly #files: FileStore
  readonly #pins: () => readonly Pin[]
  readonly #inFlight = new Set<Promise<void>>()

  /** @param pins what is pinned now */
  constructor(files: FileStore, pins: () => readonly Pin[]) {
    this.#files = files
    this.#pins = pins
  }

  /** Removes files that no version references any more. Returns at once. */
  remove(names: readonly FileName[]): void {
    const pinned = new Set(this.#pins().flatMap((pin) => pin.files))
    const unpinned = names.filter((name) => !pinned.has(name))
    if (unpinned.length === 0) return
    const removal = this.#files.remove(unpinned).catch(() => undefined)
    this.#inFlight.add(removal)
    void removal.then(() => this.#inFlight.delete(removal))
  }

  /** Removes what earlier owners left behind: listed, of an earlier epoch, referenced by nothing. */
  async removeOrphans(shard: ShardId, epoch: Epoch, head: HeadContent, manifest: ManifestState): Promise<void> {
    const listed = await this.#files.list(`${shard}.`)
    const manifests = new Set(manifestFiles(head).map((ref) => ref.name))
    const orphans = listed
      .map((file) => file.name)
      .filter((name) => !manifest.files.has(name) && !manifests.has(name) && epochOf(name, shard) < epoch)
    this.remove(orphans)
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await Promise.all(this.#inFlight)
  }
}

/** The epoch in a name such as `<shard>.e12-j3-a1-0.row`; of a name that has none, infinity: it is not ours to judge. */
function epochOf(name: FileName, shard: ShardId): number {
  const match = /^e([0-9]+)-/.exec(name.slice(shard.length + 1))
  return match === null ? Infinity : Number(match[1])
}
