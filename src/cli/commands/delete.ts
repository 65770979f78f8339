/** `varve delete DIR KEY...`: removes keys, or all keys of a range. */

import type { KvOperation } from '../../engines/kv/kv.ts'
import { NOTATION_OPTIONS, bytesOf, notationOf } from '../argument-bytes.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { RANGE_OPTIONS, rangeOf } from '../range-options.ts'
import { openForWriting } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { UsageError } from '../usage-error.ts'

export const deleteKeys: Command = {
  name: 'delete',
  parameters: [{ name: 'DIR' }, { name: 'KEY', repeated: true, optional: true }],
  summary: 'remove keys, or all keys of a range',
  details: [
    'All of them or none. A key that is not there is no error.',
    'A range costs as much as one key, however many are in it; `varve scan --count` tells how many that would be.',
    'When the command has ended, the deletion survives a power cut.',
  ],
  options: [SHARD_OPTION, ...RANGE_OPTIONS, ...NOTATION_OPTIONS],
  async run(given) {
    const notation = notationOf(given)
    const [directory = '', ...keys] = given.positionals
    const range = rangeOf(given, notation)
    const hasRange = Object.keys(range).length > 0
    if (hasRange === keys.length > 0) {
      throw new UsageError(
        hasRange
          ? 'give keys or a range, not both'
          : "KEY is missing: give keys, or a range such as --prefix KEY; --prefix '' is all",
      )
    }
    const operations: readonly KvOperation[] = hasRange
      ? [{ type: 'deleteRange', ...range }]
      : keys.map((key) => ({ type: 'delete', key: bytesOf(key, notation, 'KEY') }))
    const shard = await openForWriting(directory, { shard: shardOf(given) })
    try {
      await shard.batch(operations, { durability: 'synced' })
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}
