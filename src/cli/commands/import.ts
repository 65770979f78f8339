/** `varve import DIR FILE...`: entries from files or standard input. */

import type { CommandArguments } from '../command-arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { choiceOf } from '../choice-option.ts'
import { EXIT_CODES } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { formatBytes, formatDuration, formatNumberOf, formatRate } from '../quantities.ts'
import { openForWriting } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { FORMATS } from '../transfer/formats.ts'
import { ImportJob, checkColumns } from '../transfer/import-job.ts'
import type { ImportOptions, ImportReport } from '../transfer/import-job.ts'
import { importSources } from '../transfer/import-source.ts'
import { EXISTING_CHOICES, ImportWriter } from '../transfer/import-writer.ts'
import { parseTemplate } from '../transfer/key-template.ts'
import type { TemplatePart } from '../transfer/key-template.ts'
import { UsageError } from '../usage-error.ts'

const LEFT_OUT_SHOWN = 20

export const importEntries: Command = {
  name: 'import',
  parameters: [{ name: 'DIR' }, { name: 'FILE', repeated: true }],
  summary: 'put entries from JSON lines, CSV or a tree of files into a shard',
  details: [
    'FILE is a file, a directory, or - for standard input. The format is told by the end of the name: .jsonl or .ndjson,',
    '.csv or .tsv (tabs between fields); a directory is a tree. The shard is made where there is none.',
    '',
    'jsonl  {"key": TEXT, "value": TEXT} in each line; key64 and value64 take base64. With --key, any object will do:',
    '       the key is made of its fields, and the value is the line.',
    'csv    The first line has the names of the columns. --key-column names those that make the key, or --key says how;',
    "       the value is the other columns as JSON, or the one that --value-column names. `varve export`'s need nothing.",
    'tree   Every file below the directory: its path is the key, its content the value. Symbolic links are left out.',
    '',
    'In --key and --key-prefix, {NAME} is a field or column, {file} the name of the file without directories and',
    'extension, {path} the file as given, {line} the number of the line; {{ and }} are braces.',
    '',
    'Stops at the first line that it cannot read and says which: what stood before stays, and importing it once more',
    'changes nothing. --dry-run reads everything and writes nothing. Exits with 1 if anything was left out.',
    "For example: varve import DIR tweets/*.csv --key '{file}/{timestamp}' --value-column value",
  ],
  options: [
    { name: 'format', value: 'FORMAT', help: `${FORMATS.join(', ')}; default: by the name of the file` },
    { name: 'key', value: 'TEMPLATE', help: "how the key is made, such as '{file}/{timestamp}'" },
    { name: 'key-column', value: 'NAMES', help: 'columns that make the key, with commas between: a,b is {a}/{b}' },
    { name: 'key-prefix', value: 'TEMPLATE', help: 'stands in front of every key' },
    { name: 'value-column', value: 'NAME', help: 'the CSV column that is the value' },
    { name: 'delimiter', value: 'CHARACTER', help: 'what stands between CSV fields; default: a comma, in .tsv a tab' },
    { name: 'no-header', help: 'the first line of CSV is data; columns are called 1, 2, 3' },
    {
      name: 'existing',
      value: 'WHAT',
      help: 'where a key has another value: replace it (the default, and tell), keep it, or stop',
    },
    SHARD_OPTION,
    { name: 'dry-run', help: 'read and check everything, write nothing' },
  ],
  async run(given, context) {
    const [directory = '', ...paths] = given.positionals
    const options = optionsOf(given)
    const shard = shardOf(given)
    const sources = await importSources(paths, choiceOf(given, 'format', FORMATS))
    for (const format of ['jsonl', 'tree'] as const) {
      const useless = ['key-column', 'value-column', 'delimiter'].find((name) => given.value(name) !== undefined)
      if (useless !== undefined && sources.every((source) => source.format === format))
        throw new UsageError(`--${useless} is for CSV, not for ${format}`)
    }
    await checkColumns(sources, options)
    const startMs = context.now()
    const run = (writer: ImportWriter | undefined): Promise<ImportReport> =>
      new ImportJob(writer, directory, options, sources, context).run(sources)
    if (given.has('dry-run')) return report(await run(undefined), 'Read', startMs, context, options)
    const db = await openForWriting(directory, { shard, create: context })
    try {
      const imported = await run(await ImportWriter.open(db, options.existing))
      await db.sync()
      return report(imported, 'Imported', startMs, context, options)
    } finally {
      await db.close()
    }
  },
}

function optionsOf(given: CommandArguments): ImportOptions {
  const key = given.value('key')
  const keyColumn = given.value('key-column')
  if (key !== undefined && keyColumn !== undefined) throw new UsageError('give --key or --key-column, not both')
  const delimiter = given.value('delimiter')
  if (delimiter !== undefined && (delimiter.length !== 1 || '"\n\r'.includes(delimiter))) {
    throw new UsageError("--delimiter is one character, such as ';' (for a tab: $'\\t' in most shells), and no quote")
  }
  return {
    key:
      key !== undefined ? parseTemplate(key, 'key') : keyColumn === undefined ? undefined : columnsTemplate(keyColumn),
    keyPrefix: parseTemplate(given.value('key-prefix') ?? '', 'key-prefix'),
    valueColumn: given.value('value-column'),
    delimiter,
    header: !given.has('no-header'),
    existing: choiceOf(given, 'existing', EXISTING_CHOICES) ?? 'replace',
  }
}

function columnsTemplate(names: string): readonly TemplatePart[] {
  return names.split(',').flatMap((field, index) => (index === 0 ? [{ field }] : [{ text: '/' }, { field }]))
}

function report(
  { entries, bytes, unchanged, replaced, kept, firstConflict, leftOut, specials }: ImportReport,
  verb: string,
  startMs: number,
  { output, now }: CommandContext,
  { existing }: ImportOptions,
): ExitCode {
  const durationMs = now() - startMs
  const rate = `${formatDuration(durationMs)} (${formatRate(entries, durationMs)})`
  output.line(`${verb} ${formatNumberOf(entries, 'entry')}, ${formatBytes(bytes)}, in ${rate}`)
  if (unchanged > 0)
    output.note(`${formatNumberOf(unchanged, 'entry')} ${unchanged === 1 ? 'was' : 'were'} there already.`)
  if (firstConflict !== undefined) {
    const { file, line } = firstConflict
    const first = `the first ${line === undefined ? `is ${file}` : `is in line ${line} of ${file}`}`
    const what =
      existing === 'keep'
        ? `${formatNumberOf(kept, 'entry')} left out`
        : `${formatNumberOf(replaced, 'value')} replaced`
    output.note(
      `${what}: another entry had the same key and another value; ${first}. {line} in --key keeps them apart.`,
    )
  }
  if (specials > 0)
    output.note(
      `Left out ${formatNumberOf(specials, 'symbolic link or special file', 'symbolic links and special files')}.`,
    )
  for (const line of leftOut.slice(0, LEFT_OUT_SHOWN)) output.note(`left out: ${line}`)
  if (leftOut.length > LEFT_OUT_SHOWN) output.note(`and ${leftOut.length - LEFT_OUT_SHOWN} more`)
  return leftOut.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failure
}
