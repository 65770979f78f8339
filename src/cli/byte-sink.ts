/** Where bytes go in large amounts, with back-pressure: standard output, a file. */

import { once } from 'node:events'
import type { Writable } from 'node:stream'

export interface ByteSink {
  /** Somebody watches it: progress would be in the way. */
  readonly interactive: boolean
  /**
   * Hands on text (as UTF-8) or bytes, which are lent until they have been handed on.
   *
   * @returns undefined: go on at once; a promise: go on when it has resolved
   */
  write(bytes: string | Uint8Array): Promise<void> | undefined
  /** Resolves when everything has been handed on. */
  flush(): Promise<void>
}

/** A stream of Node's. Whoever made the stream ends it, and hears of its errors. */
export class StreamSink implements ByteSink {
  readonly #stream: Writable & { readonly isTTY?: boolean }

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream
  }

  get interactive(): boolean {
    return this.#stream.isTTY === true
  }

  write(bytes: string | Uint8Array): Promise<void> | undefined {
    if (this.#stream.write(bytes)) return undefined
    return once(this.#stream, 'drain').then(() => undefined)
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write('', (error) => {
        if (error === null || error === undefined) resolve()
        else reject(error)
      })
    })
  }
}

// A pipe takes 64 KiB at a time.
const TEXT_LENGTH = 64 * 1024

/** Collects lines, so that a sink gets few large pieces. */
export class LineBuffer {
  readonly #sink: ByteSink
  #text = ''

  constructor(sink: ByteSink) {
    this.#sink = sink
  }

  /** @returns as `ByteSink.write` */
  add(line: string): Promise<void> | undefined {
    this.#text += line
    this.#text += '\n'
    return this.#text.length < TEXT_LENGTH ? undefined : this.#hand()
  }

  async finish(): Promise<void> {
    if (this.#text !== '') await this.#hand()
    await this.#sink.flush()
  }

  #hand(): Promise<void> | undefined {
    const text = this.#text
    this.#text = ''
    return this.#sink.write(text)
  }
}
