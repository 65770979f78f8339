/** From the words of a command line to an exit code. */

import { parseArguments } from './command-arguments.ts'
import type { CommandContext } from './command.ts'
import { findCommand } from './command-table.ts'
import { EXIT_CODES } from './exit-code.ts'
import type { ExitCode } from './exit-code.ts'
import { reportFailure } from './failure.ts'
import { helpOf, overview } from './help-text.ts'
import { packageVersion } from './package-version.ts'
import { UsageError } from './usage-error.ts'

/** Never throws: what goes wrong has been told to the output. */
export async function runCommandLine(
  words: readonly string[],
  context: CommandContext,
  options: { readonly debug: boolean },
): Promise<ExitCode> {
  try {
    return await dispatch(words, context)
  } catch (error) {
    context.output.status('')
    if (context.signal.aborted && !options.debug) {
      context.output.note('varve: stopped')
      return EXIT_CODES.interrupted
    }
    return reportFailure(error, context.output, options.debug)
  }
}

async function dispatch(words: readonly string[], context: CommandContext): Promise<ExitCode> {
  const { output } = context
  const [name, ...rest] = words
  if (name === '--version' || name === '-v') {
    output.line(packageVersion())
    return EXIT_CODES.ok
  }
  if (name === undefined) {
    for (const line of overview()) output.note(line)
    return EXIT_CODES.usage
  }
  const helpWanted = name === 'help' || name === '--help' || name === '-h'
  const about = helpWanted ? rest[0] : name
  if (about === undefined) {
    for (const line of overview()) output.line(line)
    return EXIT_CODES.ok
  }
  const command = findCommand(about)
  if (command === undefined) throw new UsageError(`there is no command '${about}'`)
  if (helpWanted || asksForHelp(rest)) {
    for (const line of helpOf(command)) output.line(line)
    return EXIT_CODES.ok
  }
  try {
    return await command.run(parseArguments(command, rest), context)
  } catch (error) {
    if (error instanceof UsageError && error.command === undefined) throw new UsageError(error.message, command.name)
    throw error
  }
}

/** What stands behind `--` is a key or a name. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === '--help' || word === '-h')
}
