/** `varve repair DIR NEW`: makes a new shard out of what a damaged one still holds. */

import { repair as repairShard } from '../../local-repair.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { shorten, showKey } from '../key-text.ts'
import { readKeys } from '../key-file.ts'
import { formatNumberOf } from '../quantities.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'

const KEY_COLUMNS = 40

export const repair: Command = {
  name: 'repair',
  parameters: [{ name: 'DIR' }, { name: 'NEW' }],
  summary: 'save what a damaged shard still holds into a new one',
  details: [
    'Reads DIR and never changes it. Every block of a table and every record of the journal is taken by itself: what is',
    'whole goes to NEW, which must be empty or missing; what is not is named, with the keys it may have held.',
    'Where no head can be read, all tables count but those that other shards have written, and keys that had been deleted',
    'may be back. Takes memory for each key. NEW has one shard, main, whatever the name of the one that is saved.',
    'Exits with 1 where anything was lost.',
    'FILE of --keys is a JSON list of { "id", "secret" }, each secret 32 bytes in base64: what DIR is encrypted with. NEW is',
    'encrypted with the first.',
  ],
  options: [SHARD_OPTION, { name: 'keys', value: 'FILE', help: 'of an encrypted shard' }],
  async run(given, { output, signal }) {
    const [directory = '', target = ''] = given.positionals
    const [path, shard] = [given.value('keys'), shardOf(given)]
    const encryption = path === undefined ? {} : { encryption: { keys: await readKeys(path, 'repair') } }
    const { entries, losses, headFound } = await repairShard(directory, target, { signal, shard, ...encryption })
    for (const { file, reason, keyFirst, keyLast } of losses) {
      const isKnown = keyFirst !== undefined && keyLast !== undefined && keyLast.length > 0
      const keys = isKnown ? `; keys from ${show(keyFirst)} to ${show(keyLast)}` : ''
      output.line(`LOST: ${file}: ${reason}${keys}`)
    }
    if (!headFound) output.line('No head can be read: keys that had been deleted may be back')
    const saved = `${formatNumberOf(entries, 'entry', 'entries')} in ${target}`
    if (losses.length === 0 && headFound) {
      output.line(`Result: nothing was lost: ${saved}`)
      return EXIT_CODES.ok
    }
    output.line(`Result: ${saved}; ${formatNumberOf(losses.length, 'part')} could not be saved`)
    return EXIT_CODES.failure
  },
}

function show(key: Uint8Array): string {
  return shorten(showKey(key), KEY_COLUMNS)
}
