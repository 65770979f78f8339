/** `varve tree DIR`: the levels of a shard, drawn. */

import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { showKey } from '../key-text.ts'
import { formatBytes, formatCount } from '../quantities.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { drawShard } from '../shard-drawing.ts'
import { renderTable } from '../text-table.ts'

export const tree: Command = {
  name: 'tree',
  parameters: [{ name: 'DIR' }],
  summary: 'draw the levels of a shard',
  details: [
    'A row for each level, a box for each table: its size, its first key and its last.',
    'Opens the shard read-only: nothing is changed, and another process may have it open.',
  ],
  options: [SHARD_OPTION, { name: 'tables', help: 'list every table with its name, entries and keys' }],
  async run(given, { output }) {
    const [directory = ''] = given.positionals
    const shard = await openForReading(directory, { shard: shardOf(given) })
    try {
      for (const line of drawShard(shard, output.columns)) output.line(line)
      if (!given.has('tables')) return EXIT_CODES.ok
      output.line()
      const rows = shard
        .levels()
        .flatMap((tables, level) =>
          tables.map(({ file, meta }) => [
            `L${level}`,
            file.ref.name,
            formatBytes(file.ref.bytes),
            formatCount(meta.entryCount),
            `${showKey(meta.keyFirst)} … ${showKey(meta.keyLast)}`,
          ]),
        )
      const columns = [
        { title: 'level' },
        { title: 'table' },
        { title: 'bytes', align: 'right' },
        { title: 'entries', align: 'right' },
        { title: 'keys' },
      ] as const
      for (const line of renderTable(columns, rows)) output.line(line)
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}
