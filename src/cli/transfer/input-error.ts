/** What is to be imported does not read as what it should be: says where, as compilers do, and why. */

export interface InputPlace {
  /** As it was given; `-` for standard input. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  /** In characters, from 1. */
  readonly column?: number
}

export class InputError extends Error {
  override readonly name = 'InputError'
  readonly place: InputPlace
  readonly reason: string
  /** What has become of the rest, and what to do. */
  readonly advice: string | undefined

  constructor(place: InputPlace, reason: string, advice?: string) {
    const { file, line, column } = place
    const parts = [file === '-' ? '(standard input)' : file, line, column].filter((part) => part !== undefined)
    super(`${parts.join(':')}: ${reason}`)
    this.place = place
    this.reason = reason
    this.advice = advice
  }
}

/** The same from a reader that does not know the file. */
export class RecordFault extends Error {
  override readonly name = 'RecordFault'
  readonly line: number
  readonly column: number | undefined

  constructor(line: number, column: number | undefined, reason: string) {
    super(reason)
    this.line = line
    this.column = column
  }
}
