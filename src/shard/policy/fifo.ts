/**
 * First in, first out, as a pure function: nothing is merged, and when files together are too large the oldest are
 * forgotten.
 *
 * For a cache, or for series of which only the latest count. Data is written once. It goes by file, oldest first, so that
 * nothing that was overwritten or deleted comes back; reads look into every file.
 *
 * After RocksDB's FIFO compaction.
 */

import { GIB } from '../../kernel/limits.ts'
import { Layout, sumBytes } from './layout.ts'
import type { DropChoice, PolicyFile, PolicyInput } from './policy.ts'

/** Defaults and their reasons: `FIFO_DEFAULTS`. */
export interface FifoSettings {
  /** Bytes of files that are kept. Range: 0 B or more. */
  readonly fifoBytesMax: number
}

/** What is not said. */
export const FIFO_DEFAULTS: FifoSettings = Object.freeze({
  // RocksDB's max_table_files_size: a cache of a size that reads can look through.
  fifoBytesMax: 1 * GIB,
})

/** What to forget: one choice, or none. */
export function chooseFifo<Bound>(input: PolicyInput<Bound, FifoSettings>): readonly DropChoice[] {
  const layout = new Layout(input)
  let excess = sumBytes(input.files.filter((file) => !layout.isTaken(file))) - input.settings.fifoBytesMax
  const dropped: PolicyFile<Bound>[] = []
  for (const file of oldestFirst(layout)) {
    if (excess <= 0 || layout.isTaken(file)) break
    dropped.push(file)
    excess -= file.bytes
  }
  if (dropped.length === 0 || !layout.mayDrop(dropped)) return []
  return [{ type: 'drop', inputs: dropped.map(({ name }) => name), level: undefined }]
}

/** The deepest level first; in it, what was written first. */
function oldestFirst<Bound>(layout: Layout<Bound>): readonly PolicyFile<Bound>[] {
  return [...layout.levels].reverse().flatMap((files) => [...files].sort((a, b) => a.seqnoLast - b.seqnoLast))
}
