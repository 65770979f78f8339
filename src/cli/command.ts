/** A command of the command line: what it is called, what it takes, what it does. One file each in commands/. */

import type { CommandArguments } from './command-arguments.ts'
import type { ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

export interface Command {
  readonly name: string
  /** What must stand behind the name, in order, such as `DIR`. */
  readonly parameters: readonly string[]
  /** One line for the list of commands. */
  readonly summary: string
  /** Further lines for `varve help NAME`. */
  readonly details: readonly string[]
  readonly options: readonly CommandOption[]
  /** Left out of the list: called by other commands. */
  readonly internal?: boolean
  /**
   * Does it.
   *
   * @returns the exit code
   * @throws what `reportFailure` explains
   */
  run(given: CommandArguments, context: CommandContext): Promise<ExitCode>
}

export interface CommandOption {
  /** Without the dashes. */
  readonly name: string
  /** What it takes, such as `DIR`; undefined: nothing, it is on or off. */
  readonly value?: string
  readonly help: string
}

/** The world of a command. */
export interface CommandContext {
  readonly output: Output
  /** Aborted when the user wants it to stop. */
  readonly signal: AbortSignal
  /** Milliseconds from any start; never goes back. */
  readonly now: () => number
}
