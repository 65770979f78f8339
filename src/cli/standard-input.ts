/** Standard input of this process, as commands see it. */

import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type { ByteSource } from './command.ts'

export class StandardInput implements ByteSource {
  readonly #stream: () => Readable & { readonly isTTY?: boolean }

  /** @param stream gives the stream: asking Node for standard input keeps the process waiting for it */
  constructor(stream: () => Readable & { readonly isTTY?: boolean }) {
    this.#stream = stream
  }

  get interactive(): boolean {
    return this.#stream().isTTY === true
  }

  read(signal: AbortSignal): AsyncIterable<Uint8Array> {
    return addAbortSignal(signal, this.#stream()) as AsyncIterable<Uint8Array>
  }
}
