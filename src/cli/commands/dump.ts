/** `varve dump DIR WHAT`: what is stored, in readable form. */

import { join } from 'node:path'
import { refuseNoDirectory } from '../../fs/node-other-thing.ts'
import type { Command } from '../command.ts'
import { dumpHead } from '../dump/head-dump.ts'
import { DumpOutput } from '../dump/dump-output.ts'
import { InspectedDirectory } from '../../local-inspection.ts'
import { dumpJournal } from '../dump/journal-dump.ts'
import { dumpTable, dumpTables } from '../dump/table-dump.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { formatNumberOf } from '../quantities.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { UsageError } from '../usage-error.ts'

const SUBJECTS = ['head', 'journal', 'tables', 'table'] as const
/** The directories that are read for each. */
const PARTS: Readonly<Record<(typeof SUBJECTS)[number], readonly string[]>> = {
  head: ['heads'],
  journal: ['heads', 'journal'],
  tables: ['heads', 'files'],
  table: ['heads', 'files'],
}

export const dump: Command = {
  name: 'dump',
  parameters: [{ name: 'DIR' }, { name: 'WHAT' }, { name: 'NAME', optional: true }],
  summary: 'show what is stored, in readable form: head, journal, tables, table NAME',
  details: [
    'head        who owns the shard, and every edit of its manifest; without --shard, of every shard there is',
    'journal     every segment, what was written to it at a time, and each operation with its position',
    'tables      every table with its level, size and keys, and files that the manifest does not name',
    'table NAME  one table: its parts, properties and blocks; NAME is its name or a part of it that no other has',
    '',
    'Reads the directory as it is, part by part. Damage is shown in its place, after !!, and the dump goes on; then it',
    'exits with 1. Long keys and values are shortened. Nothing is changed, and another process may have the shard open.',
  ],
  options: [SHARD_OPTION, { name: 'entries', help: 'with table: every entry' }],
  async run(given, { output, stdout }) {
    const { has, value } = given
    const [directory = '', what, name] = given.positionals
    const subject = SUBJECTS.find((known) => known === what)
    if (subject === undefined) throw new UsageError(`WHAT is ${SUBJECTS.join(', ')}, not '${what}'`)
    if (subject === 'table' && name === undefined) {
      throw new UsageError('NAME is missing: `varve dump DIR tables` lists the tables')
    }
    if (subject !== 'table' && name !== undefined)
      throw new UsageError(`\`dump DIR ${subject}\` does not take '${name}'`)
    if (subject !== 'table' && has('entries')) throw new UsageError('--entries is for `dump DIR table NAME`')
    const inspected = await InspectedDirectory.open(directory, undefined, shardOf(given))
    const lines = new DumpOutput(stdout)
    try {
      const all = subject === 'head' && value('shard') === undefined
      if (!all) await inspected.requireShard(directory)
      for (const part of PARTS[subject]) await lines.attempt(0, () => refuseNoDirectory(join(directory, part), part))
      if (subject === 'head') await dumpHead(inspected, all, lines)
      else if (subject === 'journal') await dumpJournal(inspected, lines)
      else if (subject === 'tables') await dumpTables(inspected, lines)
      else await dumpTable(inspected, name ?? '', has('entries'), lines)
      await lines.finish()
    } finally {
      await inspected.close()
    }
    if (lines.damaged === 0) return EXIT_CODES.ok
    output.note(`varve: ${formatNumberOf(lines.damaged, 'damaged place')}, marked with !!`)
    return EXIT_CODES.failure
  },
}
