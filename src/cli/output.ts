/** Where a command prints, as a port: tests hand in one that remembers. */

export interface Output {
  /** Characters a line may have. */
  readonly columns: number
  /** `status` is shown: somebody watches. Where not, progress is told in plain lines. */
  readonly live: boolean
  /** A line of the result. */
  line(text?: string): void
  /** A line about the work: progress, warnings, errors. Not part of the result. */
  note(text: string): void
  /** Replaces the one line at the bottom that shows what is going on; '' takes it away. Nothing where not `live`. */
  status(text: string): void
}
