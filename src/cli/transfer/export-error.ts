/** What is stored cannot be said in the format that was asked for. */

export class ExportError extends Error {
  override readonly name = 'ExportError'
  /** Which entries, and why. */
  readonly lines: readonly string[]

  constructor(message: string, lines: readonly string[] = []) {
    super(message)
    this.lines = lines
  }
}
