/** `varve delete DIR KEY...`: removes keys. */

import { NOTATION_OPTIONS, bytesOf, notationOf } from '../argument-bytes.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { openForWriting } from '../shard-directory.ts'

export const deleteKeys: Command = {
  name: 'delete',
  parameters: [{ name: 'DIR' }, { name: 'KEY', repeated: true }],
  summary: 'remove keys',
  details: [
    'All of them or none. A key that is not there is no error.',
    'When the command has ended, the deletion survives a power cut.',
  ],
  options: NOTATION_OPTIONS,
  async run(given) {
    const notation = notationOf(given)
    const [directory = '', ...keys] = given.positionals
    const operations = keys.map((key) => ({ type: 'delete', key: bytesOf(key, notation, 'KEY') }) as const)
    const shard = await openForWriting(directory)
    try {
      await shard.batch(operations, { durability: 'synced' })
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}
