/** The words behind a command's name, against what the command takes. */

import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { showParameter } from './command-parameter.ts'
import { UsageError } from './usage-error.ts'

export interface CommandArguments {
  /** At least as many as the command must have, at most as many as it may. */
  readonly positionals: readonly string[]
  /** Whether an option without a value was given. */
  readonly has: (option: string) => boolean
  /** The value of an option, or undefined. */
  readonly value: (option: string) => string | undefined
}

/** @throws {UsageError} unknown options, missing values, options given twice, too many or too few words */
export function parseArguments(command: Command, words: readonly string[]): CommandArguments {
  const { values, positionals } = parse(command, words)
  const { name, parameters } = command
  const missing = parameters[positionals.length]
  if (missing !== undefined && missing.optional !== true) {
    const wanted = parameters.map(showParameter).join(' ')
    throw new UsageError(`\`varve ${name}\` needs ${wanted}: ${missing.name} is missing`)
  }
  const extra = positionals[parameters.length]
  if (extra !== undefined && parameters.at(-1)?.repeated !== true) {
    throw new UsageError(`\`varve ${name}\` does not take '${extra}'`)
  }
  return {
    positionals,
    has: (option) => values.get(option) === true,
    value: (option) => {
      const value = values.get(option)
      return typeof value === 'string' ? value : undefined
    },
  }
}

function parse(
  command: Command,
  words: readonly string[],
): { readonly values: ReadonlyMap<string, string | true>; readonly positionals: readonly string[] } {
  const values = new Map<string, string | true>()
  const positionals: string[] = []
  for (const token of tokensOf(command, words)) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    // The last would win: whoever gives two bounds or two formats means something else.
    if (values.has(token.name)) throw new UsageError(`\`varve ${command.name}\`: --${token.name} is given twice`)
    values.set(token.name, token.value ?? true)
  }
  return { values, positionals }
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]

function tokensOf(command: Command, words: readonly string[]): readonly Token[] {
  const options = Object.fromEntries(
    command.options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  )
  try {
    const { tokens } = parseArgs({ args: [...words], options, allowPositionals: true, strict: true, tokens: true })
    return tokens
  } catch (error) {
    // Node's messages are good, though long, and in several lines.
    const [first = ''] = (error as Error).message.replaceAll('\n', ' ').split('. To specify a positional')
    const dashes = takesWords(command) ? ' (a word that begins with a dash stands behind --)' : ''
    const unknown = (error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
    throw new UsageError(`\`varve ${command.name}\`: ${first}${unknown ? dashes : ''}`)
  }
}

/** Takes more than a directory: keys or names, which may begin with a dash. */
function takesWords({ parameters }: Command): boolean {
  return parameters.length > 1
}
