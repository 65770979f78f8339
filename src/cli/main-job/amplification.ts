/** How many bytes were written for each byte the user gave, and how many are kept for each byte the user has. */

import type { KvStatistics } from '../../engines/kv/kv.ts'
import { formatBytes, formatRatio } from '../quantities.ts'
import { renderPairs } from '../text-table.ts'

export interface ByteCounts {
  /** Since the shard was opened, until its first close. */
  readonly statistics: KvStatistics
  /** Keys and values of every put, keys of every deletion. */
  readonly userBytesWritten: number
  /** Keys and values that are there now. */
  readonly userBytesLive: number
  /** Lengths of all files of the shard after the last close. */
  readonly directoryBytes: number
}

/** Lines: what was written and what is kept, each with its ratio. */
export function renderAmplification(counts: ByteCounts): readonly string[] {
  const { statistics, userBytesWritten, userBytesLive, directoryBytes } = counts
  const { writtenBytes, flushedBytes, compactedBytes, fileBytes } = statistics
  const written = writtenBytes + flushedBytes + compactedBytes
  return renderPairs([
    ['given by the user', formatBytes(userBytesWritten), 'keys and values of puts, keys of deletions'],
    ['written to the journal', formatBytes(writtenBytes), 'encoded operations, without framing and padding'],
    ['written by flushes', formatBytes(flushedBytes)],
    ['written by compactions', formatBytes(compactedBytes)],
    ['write amplification', formatRatio(written, userBytesWritten), 'all three over what was given'],
    ['live', formatBytes(userBytesLive), 'keys and values that are there now'],
    ['in tables', formatBytes(fileBytes)],
    ['on disk', formatBytes(directoryBytes), 'every file of the shard after the last close but the reserve'],
    [
      'space amplification',
      formatRatio(directoryBytes, userBytesLive),
      'on disk over live; below 1 where compression wins',
    ],
  ])
}
