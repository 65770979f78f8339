/** The command line does not make sense: the message says which part of it, the exit code is 2. */

export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** The command whose help explains more. */
  readonly command: string | undefined

  constructor(message: string, command?: string) {
    super(message)
    this.command = command
  }
}
