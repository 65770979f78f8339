/** What a shard has done since it was opened, for statistics. */

import type { Change, VersionFile } from './shard.ts'
import type { ShardStatistics } from './statistics.ts'

export type Counted = Pick<ShardStatistics, 'flushes' | 'flushedBytes' | 'compactions' | 'compactedBytes' | 'moves'>

export class Counters {
  readonly #counted: { -readonly [Name in keyof Counted]: number } = {
    flushes: 0,
    flushedBytes: 0,
    compactions: 0,
    compactedBytes: 0,
    moves: 0,
  }

  get counted(): Counted {
    return this.#counted
  }

  flushed(files: readonly VersionFile[]): void {
    this.#counted.flushes++
    this.#counted.flushedBytes += bytesOf(files)
  }

  changed(change: Change, added: readonly VersionFile[]): void {
    if (change.type === 'move') this.#counted.moves++
    if (change.type === 'rewrite') this.#counted.compactions++
    this.#counted.compactedBytes += bytesOf(added)
  }
}

function bytesOf(files: readonly VersionFile[]): number {
  return files.reduce((sum, file) => sum + file.ref.bytes, 0)
}
