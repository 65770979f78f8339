/** The words behind a command's name, against what the command takes. */

import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { UsageError } from './usage-error.ts'

export interface CommandArguments {
  /** As many as the command has parameters. */
  readonly positionals: readonly string[]
  /** Whether an option without a value was given. */
  readonly has: (option: string) => boolean
  /** The value of an option, or undefined. */
  readonly value: (option: string) => string | undefined
}

/** @throws {UsageError} unknown options, missing values, too many or too few words */
export function parseArguments(command: Command, words: readonly string[]): CommandArguments {
  const options = Object.fromEntries(
    command.options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  )
  const { values, positionals } = parse(command, words, options)
  const { name, parameters } = command
  const missing = parameters[positionals.length]
  if (missing !== undefined)
    throw new UsageError(`\`varve ${name}\` needs ${parameters.join(' ')}: ${missing} is missing`)
  const extra = positionals[parameters.length]
  if (extra !== undefined) throw new UsageError(`\`varve ${name}\` does not take '${extra}'`)
  return {
    positionals,
    has: (option) => values[option] === true,
    value: (option) => {
      const value = values[option]
      return typeof value === 'string' ? value : undefined
    },
  }
}

function parse(
  command: Command,
  words: readonly string[],
  options: Record<string, { readonly type: 'boolean' | 'string' }>,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
  } catch (error) {
    // Node's messages are good; some go on with advice about `--` that does not fit every command.
    const [first = ''] = (error as Error).message.split('. To specify')
    throw new UsageError(`\`varve ${command.name}\`: ${first}`)
  }
}
