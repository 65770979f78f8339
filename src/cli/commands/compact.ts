/** `varve compact DIR`: rewrites what is stored, without what nobody can see any more. */

import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { SystemClock } from '../../system-clock.ts'
import { NOTATION_OPTIONS, notationOf } from '../argument-bytes.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { renderLevels } from '../level-table.ts'
import { formatBytes, formatDuration } from '../quantities.ts'
import { RANGE_OPTIONS, rangeOf } from '../range-options.ts'
import { openForWriting } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'

const STATUS_MS = 200

export const compact: Command = {
  name: 'compact',
  parameters: [{ name: 'DIR' }],
  summary: 'rewrite the tables without what was replaced or deleted',
  details: [
    'Moves everything into one level and gives the space of replaced and deleted values back. While it runs it needs room',
    'for a second copy. Shards compact by themselves while they are written to; this does the rest of it at once.',
    'Ctrl-C stops it: what has been compacted stays, nothing is lost.',
  ],
  options: [SHARD_OPTION, ...RANGE_OPTIONS, ...NOTATION_OPTIONS],
  async run(given, context) {
    const { output, signal, now } = context
    const range = rangeOf(given, notationOf(given))
    const [directory = ''] = given.positionals
    const startMs = now()
    const shard = await openForWriting(directory, { shard: shardOf(given) })
    try {
      const before = shard.statistics().fileBytes
      await watched(shard, shard.compactRange(range), context)
      signal.throwIfAborted()
      const statistics = shard.statistics()
      for (const line of renderLevels(statistics)) output.line(line)
      output.line()
      const duration = formatDuration(now() - startMs)
      output.line(`Tables had ${formatBytes(before)}, now ${formatBytes(statistics.fileBytes)}; it took ${duration}`)
      return EXIT_CODES.ok
    } finally {
      output.status('')
      await shard.close()
    }
  },
}

/** Shows how far it is; resolves early when the user has had enough. */
async function watched(shard: KvShard, work: Promise<void>, { output, signal, now }: CommandContext): Promise<void> {
  const startMs = now()
  const clock = new SystemClock()
  // Closing the shard makes the work end with CLOSED, which nobody waits for then.
  work.catch(() => undefined)
  let done = false
  const finished = work.finally(() => (done = true))
  finished.catch(() => undefined)
  while (!done && !signal.aborted) {
    const { flushedBytes, compactedBytes } = shard.statistics()
    const written = formatBytes(flushedBytes + compactedBytes)
    output.status(`compact  ${written} written  ${formatDuration(now() - startMs)}`)
    const pause = new Promise<void>((resolve) => clock.after(STATUS_MS, resolve))
    await Promise.race([finished, pause])
  }
  if (!signal.aborted) await work
}
