/** `varve get DIR KEY`: the value of a key, byte for byte. */

import { NOTATION_OPTIONS, bytesOf, notationOf } from '../argument-bytes.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'

export const get: Command = {
  name: 'get',
  parameters: [{ name: 'DIR' }, { name: 'KEY' }],
  summary: 'write the value of a key to standard output',
  details: [
    'The value is written as it is stored, without a line feed after it: `varve get DIR KEY > FILE` gives the same bytes.',
    'Exits with 1, and writes nothing, when the key is not there.',
    'Opens the shard read-only: nothing is changed, and another process may have it open.',
  ],
  options: [SHARD_OPTION, ...NOTATION_OPTIONS],
  async run(given, { output, stdout, signal }) {
    const [directory = '', argument = ''] = given.positionals
    const key = bytesOf(argument, notationOf(given), 'KEY')
    const shard = await openForReading(directory, { shard: shardOf(given), hold: { gte: key, lte: key } })
    try {
      const value = await shard.get(key, { signal })
      if (value === undefined) {
        output.note(`varve: there is no key '${argument}' in ${directory}`)
        return EXIT_CODES.failure
      }
      await stdout.write(value)
      await stdout.flush()
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}
