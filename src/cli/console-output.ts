/** Output to the process's own streams: results to stdout, everything about the work to stderr. */

import type { Output } from './output.ts'

// What a terminal or a log viewer shows without wrapping, where it does not say.
const COLUMNS_DEFAULT = 100
const COLUMNS_MIN = 40

export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export class ConsoleOutput implements Output {
  readonly live: boolean
  readonly #stdout: OutputStream
  readonly #stderr: OutputStream
  #status = ''

  /** @param options.plain never redraw a line, even on a terminal */
  constructor(stdout: OutputStream, stderr: OutputStream, options: { readonly plain: boolean }) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.live = stderr.isTTY === true && !options.plain
  }

  get columns(): number {
    const columns = this.#stdout.columns ?? this.#stderr.columns ?? 0
    return columns === 0 ? COLUMNS_DEFAULT : Math.max(COLUMNS_MIN, columns)
  }

  line(text = ''): void {
    this.#print(this.#stdout, text)
  }

  note(text: string): void {
    this.#print(this.#stderr, text)
  }

  status(text: string): void {
    if (!this.live || text === this.#status) return
    // Return to the start of the line, clear it, and never let it wrap: a wrapped line cannot be cleared.
    this.#stderr.write(`\r\u001b[K${text.slice(0, this.columns - 1)}`)
    this.#status = text
  }

  #print(stream: OutputStream, text: string): void {
    const status = this.#status
    this.status('')
    stream.write(`${text}\n`)
    this.status(status)
  }
}
