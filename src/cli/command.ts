/** A command of the command line: what it is called, what it takes, what it does. One file each in commands/. */

import type { ByteSink } from './byte-sink.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandParameter } from './command-parameter.ts'
import type { ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

export interface Command {
  readonly name: string
  /** What stands behind the name, in order: first what must, then what may; only the last may be repeated. */
  readonly parameters: readonly CommandParameter[]
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
  /** What is piped into the command. */
  readonly stdin: ByteSource
  /** For results that are bytes rather than lines. */
  readonly stdout: ByteSink
  /** Aborted when the user wants it to stop. */
  readonly signal: AbortSignal
  /** Calls `listener` whenever the process is told to read its files again (SIGHUP), which else ends it. */
  readonly onHangUp: (listener: () => void) => void
  /** Milliseconds from any start; never goes back. */
  readonly now: () => number
}

export interface ByteSource {
  /** Somebody types it. */
  readonly interactive: boolean
  /** Pieces, each the reader's own. Ends with an error once `signal` is aborted. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>
}
