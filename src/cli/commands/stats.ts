/** `varve stats DIR`: figures of a shard. */

import { join } from 'node:path'
import { RESERVE_NAME } from '../../fs/local-reserve.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { renderLevels } from '../level-table.ts'
import { directoryBytes } from '../disk-usage.ts'
import { formatBytes, formatCount } from '../quantities.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { renderPairs } from '../text-table.ts'

export const stats: Command = {
  name: 'stats',
  parameters: [{ name: 'DIR' }],
  summary: 'show the figures of a shard',
  details: [
    'Entries count every version and every deletion that is still stored.',
    'Opens the shard read-only: nothing is changed, and another process may have it open.',
  ],
  options: [SHARD_OPTION, { name: 'json', help: 'everything there is, as JSON' }],
  async run(given, { output }) {
    const [directory = ''] = given.positionals
    const shard = await openForReading(directory, { shard: shardOf(given) })
    try {
      const statistics = shard.statistics()
      const onDisk = await directoryBytes(directory, [])
      const reserved = onDisk - (await directoryBytes(directory, [join(directory, RESERVE_NAME)]))
      if (given.has('json')) {
        output.line(JSON.stringify({ ...statistics, reserveBytes: reserved, directoryBytes: onDisk }, null, 2))
        return EXIT_CODES.ok
      }
      for (const line of renderLevels(statistics)) output.line(line)
      output.line()
      const { epoch, fileBytes, memtableBytes } = statistics
      const pairs = renderPairs([
        ['epoch', formatCount(epoch), 'how often the shard has been taken over'],
        ['tables', formatBytes(fileBytes)],
        ['directory', formatBytes(onDisk), 'every file in it, the journal included'],
        ['reserve', formatBytes(reserved), 'of that, set aside so that a full disk can be cleared'],
        ['memtables', formatBytes(memtableBytes), 'memory for what is in the journal and in no table yet'],
      ])
      for (const line of pairs) output.line(line)
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}
