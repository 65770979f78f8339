/** A file of an S3-compatible store, read by ranges. */

import type { FileRef } from '../../kernel/file-ref.ts'
import { DistantFileReader } from '../distant-file-reader.ts'
import { fileMissing } from '../file-missing.ts'
import type { ReadOptions } from '../fs.ts'
import { readInPieces } from '../read-in-pieces.ts'
import { fileKey } from './object-keys.ts'
import { readRange } from './range-read.ts'
import type { S3Client } from './s3-client.ts'

export class S3FileReader extends DistantFileReader {
  readonly #client: S3Client
  readonly #done: () => Promise<void>

  /** @param done called once, when nothing is being read any more */
  constructor(client: S3Client, ref: FileRef, done: () => Promise<void>) {
    super(ref)
    this.#client = client
    this.#done = done
  }

  protected override async fetch(offset: number, length: number, { signal }: ReadOptions): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0)
    const { rangeBytes } = this.#client.settings
    return readInPieces(offset, length, rangeBytes, (start, size) => this.#readPiece(start, size, signal))
  }

  protected override release(): Promise<void> {
    return this.#done()
  }

  async #readPiece(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { name } = this.ref
    const found = await readRange(this.#client, fileKey(name), offset, length, signal)
    if (found === undefined) throw fileMissing(this.ref, undefined)
    if (found.totalBytes !== this.ref.bytes) throw fileMissing(this.ref, found.totalBytes)
    return found.bytes
  }
}
