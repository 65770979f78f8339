/** `varve verify DIR`: reads every byte of a shard and says what is damaged. */

import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { describeError } from '../failure.ts'
import { ProgressBar } from '../progress-bar.ts'
import { formatBytes, formatNumberOf } from '../quantities.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'

export const verify: Command = {
  name: 'verify',
  parameters: [{ name: 'DIR' }],
  summary: 'read every byte of a shard and check it',
  details: [
    'Opening checks the head, the manifest and the part of the journal that is still needed; then every table is read',
    'whole: every checksum, the order of keys, and that index, filter and properties agree with the entries.',
    'Opens the shard read-only: nothing is changed. Exits with 1 if anything is damaged, and names file and offset.',
  ],
  options: [SHARD_OPTION, { name: 'bytes-only', help: 'check checksums only, which is faster' }],
  async run(given, { output, signal, now }) {
    const [directory = ''] = given.positionals
    const shard = await openForReading(directory, { shard: shardOf(given) })
    try {
      const { files, fileBytes } = shard.statistics()
      const bar = new ProgressBar(output, { label: 'verify', item: 'table', total: files, now })
      let damaged = 0
      for await (const { table, file, damage } of shard.verify({
        level: given.has('bytes-only') ? 'bytes' : 'structure',
        signal,
      })) {
        const { name, bytes } = file.ref
        if (damage !== undefined) {
          damaged++
          output.line(`DAMAGED: table ${name} of level ${table.file.group}: ${describeError(damage)}`)
        }
        bar.advance(1, bytes)
      }
      output.status('')
      const looked = `${formatNumberOf(files, 'table')}, ${formatBytes(fileBytes)}`
      if (damaged === 0) {
        output.line(`Result: everything is whole: ${looked}, and the journal`)
        return EXIT_CODES.ok
      }
      output.line(`Result: ${formatNumberOf(damaged, 'table')} damaged of ${looked}; other keys are still readable`)
      return EXIT_CODES.failure
    } finally {
      output.status('')
      await shard.close()
    }
  },
}
