/** A file being written to memory: nobody sees it until it is finished. */

import { assert } from '../kernel/assert.ts'
import { concatBytes, copyOf } from '../kernel/bytes.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import type { FileWriter } from './fs.ts'

export class MemoryFileWriter implements FileWriter {
  readonly name: FileName
  readonly #hash: Hash
  readonly #store: { readonly open: boolean }
  readonly #publish: (content: Uint8Array) => void
  readonly #parts: Uint8Array[] = []
  #bytes = 0
  #writing = false
  #state: 'open' | 'finished' | 'failed' | 'aborted' = 'open'

  /** @param publish throws EXISTS */
  constructor(name: FileName, hash: Hash, store: { readonly open: boolean }, publish: (content: Uint8Array) => void) {
    this.name = name
    this.#hash = hash
    this.#store = store
    this.#publish = publish
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    this.#parts.push(copyOf(bytes))
    this.#bytes += bytes.length
    await Promise.resolve()
    this.#writing = false
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    assert(!this.#writing, 'finish while a write runs')
    const content = concatBytes(this.#parts)
    this.#state = 'failed'
    this.#publish(content)
    this.#state = 'finished'
    const checksum = formatHash64(this.#hash.hash64(content, 0n))
    return Promise.resolve({ name: this.name, bytes: content.length, checksum })
  }

  abort(): Promise<void> {
    if (this.#state !== 'finished') this.#state = 'aborted'
    this.#parts.length = 0
    return Promise.resolve()
  }

  #checkOpen(): void {
    const state = this.#store.open ? this.#state : 'aborted'
    if (state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${state}`)
  }
}
