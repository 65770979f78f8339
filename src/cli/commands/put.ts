/** `varve put DIR KEY [VALUE]`: sets a key. */

import { open } from 'node:fs/promises'
import { NOTATION_OPTIONS, bytesOf, notationOf } from '../argument-bytes.ts'
import type { CommandArguments } from '../command-arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { KV_LIMITS } from '../../engines/kv/limits.ts'
import { formatBytes } from '../quantities.ts'
import { openForWriting } from '../shard-directory.ts'
import { SHARD_OPTION, shardOf } from '../shard-option.ts'
import { UsageError } from '../usage-error.ts'

export const put: Command = {
  name: 'put',
  parameters: [{ name: 'DIR' }, { name: 'KEY' }, { name: 'VALUE', optional: true }],
  summary: 'set the value of a key',
  details: [
    'Without VALUE, the value is what standard input has, byte for byte. A value that the key had is replaced.',
    'The shard is made where there is none. When the command has ended, the value survives a power cut.',
  ],
  options: [
    SHARD_OPTION,
    ...NOTATION_OPTIONS,
    { name: 'file', value: 'FILE', help: 'the value is the content of this file' },
  ],
  async run(given, context) {
    const notation = notationOf(given)
    const [directory = '', argument = ''] = given.positionals
    const key = bytesOf(argument, notation, 'KEY')
    const value = await valueOf(given, context)
    const shard = await openForWriting(directory, { shard: shardOf(given), create: context })
    try {
      await shard.put(key, value, { durability: 'synced' })
      return EXIT_CODES.ok
    } finally {
      await shard.close()
    }
  },
}

async function valueOf(given: CommandArguments, context: CommandContext): Promise<Uint8Array> {
  const [, , argument] = given.positionals
  const file = given.value('file')
  if (argument !== undefined) {
    if (file !== undefined) throw new UsageError('give VALUE or --file, not both')
    return bytesOf(argument, notationOf(given), 'VALUE')
  }
  if (file === undefined) {
    if (context.stdin.interactive) context.output.note('Type the value, then Ctrl-D.')
    return collect(context.stdin.read(context.signal))
  }
  const handle = await reading(file, open(file))
  try {
    return await reading(file, collect(handle.createReadStream({ autoClose: false, signal: context.signal })))
  } finally {
    await handle.close()
  }
}

/** A name that is wrong is a matter of the command line. */
async function reading<Result>(file: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  }
}

/** Reads no more than a value may have. */
async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    parts.push(piece)
    length += piece.length
    if (length > KV_LIMITS.valueBytesMax) {
      throw new UsageError(`the value is longer than ${formatBytes(KV_LIMITS.valueBytesMax)}, the most there is`)
    }
  }
  return Buffer.concat(parts, length)
}
