/** A file of an S3-compatible store, read by ranges. */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { checkRange, fileMissing } from '../file-missing.ts'
import type { FileReader, ReadOptions } from '../fs.ts'
import { fileKey } from './object-keys.ts'
import { readRange } from './range-read.ts'
import type { S3Client } from './s3-client.ts'

export class S3FileReader implements FileReader {
  readonly ref: FileRef
  readonly #client: S3Client
  readonly #done: () => Promise<void>
  readonly #reading = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  /** @param done called once, when nothing is being read any more */
  constructor(client: S3Client, ref: FileRef, done: () => Promise<void>) {
    this.ref = ref
    this.#client = client
    this.#done = done
  }

  async read(offset: number, length: number, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
    throwIfAborted(signal)
    if (length === 0) return new Uint8Array(0)
    const reading = this.#read(offset, length, signal)
    this.#reading.add(reading)
    try {
      return await reading
    } finally {
      this.#reading.delete(reading)
    }
  }

  readSync(): Uint8Array {
    this.#checkOpen()
    throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
  }

  /** Nothing is here. */
  readNow(offset: number, length: number): undefined {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#reading).then(this.#done)
    return this.#closing
  }

  async #read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { rangeBytes } = this.#client.settings
    if (length <= rangeBytes) return this.#readPiece(offset, length, signal)
    const whole = new Uint8Array(length)
    const pieces: Promise<void>[] = []
    for (let start = 0; start < length; start += rangeBytes) {
      const size = Math.min(rangeBytes, length - start)
      pieces.push(this.#readPiece(offset + start, size, signal).then((piece) => whole.set(piece, start)))
    }
    await Promise.all(pieces)
    return whole
  }

  async #readPiece(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { name } = this.ref
    const found = await readRange(this.#client, fileKey(name), offset, length, signal)
    if (found === undefined) throw fileMissing(this.ref, undefined)
    if (found.totalBytes !== this.ref.bytes) throw fileMissing(this.ref, found.totalBytes)
    return found.bytes
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}
