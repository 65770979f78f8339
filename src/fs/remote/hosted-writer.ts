/**
 * A file that a client writes, held by the service: a client whose connection is lost comes back and goes on.
 *
 * A write says where it goes. What is there already is not written again, and the file is finished once, however often it is
 * asked for.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { FileWriter } from '../fs.ts'

export type Finished = readonly [bytes: number, checksum: string]

export class HostedWriter {
  readonly #writer: FileWriter
  /** Bytes handed to the writer, one piece after the other. */
  #acceptedBytes = 0
  #written: Promise<void> = Promise.resolve()
  #finished: Promise<Finished> | undefined

  constructor(writer: FileWriter) {
    this.#writer = writer
  }

  /** @throws {VarveError} IO_FAILED — something is missing before it */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset + bytes.length <= this.#acceptedBytes) return this.#written
    if (offset !== this.#acceptedBytes || this.#finished !== undefined) {
      throw new VarveError('IO_FAILED', `a write to ${this.#writer.name} does not follow the one before it`, {
        details: { operation: 'write', path: this.#writer.name },
      })
    }
    this.#acceptedBytes += bytes.length
    this.#written = this.#written.then(() => this.#writer.write(bytes))
    this.#written.catch(() => undefined)
    return this.#written
  }

  finish(): Promise<Finished> {
    this.#finished ??= this.#finish()
    return this.#finished
  }

  /** Once finished it stays. */
  async abort(): Promise<void> {
    await this.#finished?.catch(() => undefined)
    await this.#written.catch(() => undefined)
    await this.#writer.abort()
  }

  async #finish(): Promise<Finished> {
    await this.#written
    const { bytes, checksum } = await this.#writer.finish()
    return [bytes, checksum]
  }
}
