/** `varve scan DIR`: entries in key order, one in a line. */

import type { KvEntry, ScanOptions } from '../../engines/kv/kv.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { NOTATION_OPTIONS, notationOf } from '../argument-bytes.ts'
import type { Notation } from '../argument-bytes.ts'
import { LineBuffer } from '../byte-sink.ts'
import { choiceOf } from '../choice-option.ts'
import type { CommandArguments } from '../command-arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { escapeBytes } from '../escaped-text.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { RANGE_OPTIONS, rangeOf } from '../range-options.ts'
import { openForReading } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { jsonLine } from '../transfer/json-line.ts'
import { UsageError } from '../usage-error.ts'

export const scan: Command = {
  name: 'scan',
  parameters: [{ name: 'DIR' }],
  summary: 'list entries in key order',
  details: [
    'One line for each: the key, a tab, the value. Tabs, line feeds and backslashes in them are written \\t, \\n and \\\\, and',
    'bytes that are not printed \\x00 to \\xff. With --format jsonl, lines are what `varve export` writes.',
    'Shows one moment, whatever is written meanwhile. Opens the shard read-only: another process may have it open.',
  ],
  options: [
    SHARD_OPTION,
    ...RANGE_OPTIONS,
    { name: 'reverse', help: 'the last key first' },
    { name: 'limit', value: 'N', help: 'not more than N entries' },
    { name: 'keys-only', help: 'no values' },
    { name: 'count', help: 'only say how many there are' },
    { name: 'format', value: 'FORMAT', help: 'text (the default) or jsonl' },
    { name: 'hex', help: 'bounds are given, and keys and values shown, in hexadecimal digits' },
    ...NOTATION_OPTIONS.filter(({ name }) => name === 'base64').map(({ name }) => ({
      name,
      help: 'bounds are given, and keys and values shown, in base64',
    })),
  ],
  async run(given, context) {
    const notation = notationOf(given)
    const format = choiceOf(given, 'format', ['text', 'jsonl'] as const) ?? 'text'
    const keysOnly = given.has('keys-only')
    const range = rangeOf(given, notation)
    const limit = limitOf(given)
    const [directory = ''] = given.positionals
    // A short scan is over before anything could be taken away.
    const shard = await openForReading(directory, {
      shard: shardOf(given),
      ...(limit === undefined ? { hold: range } : {}),
    })
    try {
      const options: ScanOptions = {
        ...range,
        reverse: given.has('reverse'),
        ...(limit === undefined ? {} : { limit }),
        signal: context.signal,
      }
      if (given.has('count')) context.output.line(String(await countOf(shard, options)))
      else await list(shard, { ...options, values: !keysOnly }, lineMaker(format, notation, keysOnly), context)
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}

function limitOf({ value }: CommandArguments): number | undefined {
  const given = value('limit')
  if (given === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(given)) throw new UsageError(`--limit is a whole number, not '${given}'`)
  return Number(given)
}

async function countOf(shard: KvShard, options: ScanOptions): Promise<number> {
  let count = 0
  for await (const entries of shard.scan({ ...options, keys: false, values: false }).chunks()) count += entries.length
  return count
}

async function list(
  shard: KvShard,
  options: ScanOptions,
  line: (entry: KvEntry) => string,
  { stdout }: CommandContext,
): Promise<void> {
  const lines = new LineBuffer(stdout)
  for await (const entries of shard.scan(options).chunks()) {
    for (const entry of entries) {
      const full = lines.add(line(entry))
      if (full !== undefined) await full
    }
  }
  await lines.finish()
}

function lineMaker(format: 'text' | 'jsonl', notation: Notation, keysOnly: boolean): (entry: KvEntry) => string {
  if (format === 'jsonl') return ({ key, value }) => jsonLine(key, keysOnly ? undefined : value)
  const show = notation === 'text' ? escapeBytes : (bytes: Uint8Array): string => Buffer.from(bytes).toString(notation)
  return keysOnly ? ({ key }) => show(key) : ({ key, value }) => `${show(key)}\t${show(value)}`
}
