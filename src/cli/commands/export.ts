/** `varve export DIR [FILE]`: entries into a file, to standard output, or as a tree of files. */

import type { KvEntry, KvRange } from '../../engines/kv/kv.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { NOTATION_OPTIONS, notationOf } from '../argument-bytes.ts'
import { LineBuffer } from '../byte-sink.ts'
import type { ByteSink } from '../byte-sink.ts'
import { choiceOf } from '../choice-option.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { showKey } from '../key-text.ts'
import type { Output } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import type { Progress } from '../progress-bar.ts'
import { formatBytes, formatDuration, formatNumberOf, formatRate } from '../quantities.ts'
import { RANGE_OPTIONS, rangeOf } from '../range-options.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { CSV_HEADER, CSV_HEADER_64, csvLine, csvLine64 } from '../transfer/csv-line.ts'
import { ExportError } from '../transfer/export-error.ts'
import { FORMATS, formatOfName } from '../transfer/formats.ts'
import type { Format } from '../transfer/formats.ts'
import { jsonLine } from '../transfer/json-line.ts'
import { OutputFile } from '../transfer/output-file.ts'
import { checkTreeKeys, checkTreeTarget, writeTree } from '../transfer/tree-writer.ts'
import { UsageError } from '../usage-error.ts'

export const exportEntries: Command = {
  name: 'export',
  parameters: [{ name: 'DIR' }, { name: 'FILE', optional: true }],
  summary: 'write entries as JSON lines, as CSV or as a tree of files',
  details: [
    'To FILE, or to standard output where there is none or it is -. `varve import` reads all of it back, byte for byte.',
    '',
    'jsonl  {"key": TEXT, "value": TEXT} in each line; what is not UTF-8 is key64 or value64, in base64. The default.',
    'csv    The columns key and value. Takes only UTF-8; with --base64 anything, as key64 and value64.',
    'tree   A file for each entry below the new directory FILE. Keys must be relative paths; if one is not, nothing is',
    '       written, and it is named.',
    '',
    'Shows one moment, whatever is written meanwhile. Opens the shard read-only: another process may have it open.',
    'A file gets its name when it is whole.',
  ],
  options: [
    { name: 'format', value: 'FORMAT', help: `${FORMATS.join(', ')}; default: by the name of FILE, or jsonl` },
    SHARD_OPTION,
    ...RANGE_OPTIONS,
    { name: 'force', help: 'replace FILE' },
    ...NOTATION_OPTIONS.map(({ name }) => ({
      name,
      help:
        name === 'hex' ? 'bounds are given in hexadecimal digits' : 'bounds are given, and CSV is written, in base64',
    })),
  ],
  async run(given, context) {
    const { output, stdout, now } = context
    const notation = notationOf(given)
    const range = rangeOf(given, notation)
    const [directory = '', path = '-'] = given.positionals
    const format = choiceOf(given, 'format', FORMATS) ?? (path === '-' ? 'jsonl' : formatOfName(path))
    if (format === undefined) throw new UsageError(`the name ${path} does not tell the format: give --format`)
    if (format === 'tree' && path === '-') throw new UsageError('a tree needs FILE: the directory to write it to')
    if (format === 'tree') await checkTreeTarget(path)
    const startMs = now()
    const shard = await openForReading(directory, { shard: shardOf(given), hold: range })
    try {
      const quiet = path === '-' && stdout.interactive
      const count = format === 'tree' ? await checkTreeKeys(shard, range, context.signal) : undefined
      const progress = new CountedProgress(quiet ? undefined : output, count, now)
      if (format === 'tree') await writeTree(shard, range, path, progress, context.signal)
      else if (path === '-')
        await writeLines(shard, range, lineMaker(format, notation === 'base64'), stdout, progress, context)
      else {
        const file = await OutputFile.create(path, given.has('force'))
        try {
          await writeLines(shard, range, lineMaker(format, notation === 'base64'), file, progress, context)
          await file.finish()
        } catch (error) {
          await file.abort()
          throw error
        }
      }
      output.status('')
      const { items, bytes } = progress
      const durationMs = now() - startMs
      const rate = `${formatDuration(durationMs)} (${formatRate(items, durationMs)})`
      if (!quiet) output.note(`Exported ${formatNumberOf(items, 'entry')}, ${formatBytes(bytes)}, in ${rate}`)
      return EXIT_CODES.ok
    } finally {
      output.status('')
      await shard.close()
    }
  },
}

interface LineMaker {
  readonly header: string | undefined
  readonly line: (entry: KvEntry) => string
}

function lineMaker(format: Exclude<Format, 'tree'>, isBase64: boolean): LineMaker {
  if (format === 'jsonl') return { header: undefined, line: ({ key, value }) => jsonLine(key, value) }
  if (isBase64) return { header: CSV_HEADER_64, line: ({ key, value }) => csvLine64(key, value) }
  return {
    header: CSV_HEADER,
    line: ({ key, value }) => {
      const line = csvLine(key, value)
      if (line !== undefined) return line
      throw new ExportError(`the entry ${showKey(key)} is not UTF-8, and CSV is text: use --base64, or --format jsonl`)
    },
  }
}

async function writeLines(
  shard: KvShard,
  range: KvRange,
  { header, line }: LineMaker,
  sink: ByteSink,
  progress: Progress,
  { signal }: CommandContext,
): Promise<void> {
  const lines = new LineBuffer(sink)
  if (header !== undefined) await lines.add(header)
  for await (const entries of shard.scan({ ...range, signal }).chunks()) {
    let bytes = 0
    for (const entry of entries) {
      const full = lines.add(line(entry))
      if (full !== undefined) await full
      bytes += entry.key.length + entry.value.length
    }
    progress.advance(entries.length, bytes)
  }
  await lines.finish()
}

class CountedProgress implements Progress {
  readonly #bar: ProgressBar | undefined
  items = 0
  bytes = 0

  constructor(output: Output | undefined, total: number | undefined, now: () => number) {
    const known = total === undefined ? {} : { total }
    this.#bar =
      output === undefined ? undefined : new ProgressBar(output, { label: 'export', item: 'entry', ...known, now })
  }

  advance(items: number, bytes: number): void {
    this.items += items
    this.bytes += bytes
    this.#bar?.advance(items, bytes)
  }
}
