/** Reads one key column, block by block. */

import { throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileReader, ReadOptions } from '../fs/fs.ts'
import { fileIdentity } from './file-identity.ts'
import {
  decodeKeyColumnBlock,
  decodeKeyColumnFooter,
  decodeKeyColumnIndex,
  KEY_COLUMN_FOOTER_BYTES,
} from './key-column.ts'
import type { KeyColumnBlock, KeyColumnPlace, KeyColumnSummary } from './key-column.ts'
import { tableCorrupt } from './table-damage.ts'

/** Reads a key column over an open file. Nothing is kept: every block is read when it is asked for. */
export class KeyColumnReader {
  readonly #file: FileReader
  readonly #hash: Hash
  readonly #identity: bigint

  /** @param file becomes the reader's */
  constructor(file: FileReader, hash: Hash) {
    this.#file = file
    this.#hash = hash
    this.#identity = fileIdentity(hash, file.ref.name)
  }

  /** The file that it reads. */
  get ref(): FileRef {
    return this.#file.ref
  }

  /**
   * What the column holds, and where its blocks lie; read once. @throws {VarveError} TABLE_CORRUPT, INCOMPATIBLE,
   * FILE_MISSING
   */
  async summary(signal?: AbortSignal): Promise<KeyColumnSummary & { readonly places: readonly KeyColumnPlace[] }> {
    const { bytes, name } = this.#file.ref
    const [hash, identity, options] = [this.#hash, this.#identity, optionsOf(signal)]
    const footerOffset = Math.max(0, bytes - KEY_COLUMN_FOOTER_BYTES)
    const footerBytes = await this.#file.read(footerOffset, bytes - footerOffset, options)
    const footer = decodeKeyColumnFooter(footerBytes, name, identity, hash, footerOffset)
    const { indexOffset, entryCount, keyBytes, valueBytes } = footer
    const index = await this.#file.read(indexOffset, footerOffset - indexOffset, options)
    return { entryCount, keyBytes, valueBytes, places: decodeKeyColumnIndex(index, footer, name, identity, hash) }
  }

  /** One block, checked, in memory of its own. @throws {VarveError} TABLE_CORRUPT, FILE_MISSING */
  async block(place: KeyColumnPlace, signal?: AbortSignal): Promise<KeyColumnBlock> {
    const bytes = await this.#file.read(place.offset, place.length, optionsOf(signal))
    return decodeKeyColumnBlock(bytes, place, this.#file.ref.name, this.#identity, this.#hash)
  }

  /** Every entry of the table, in its order. Errors as `summary`. */
  async *blocks(signal?: AbortSignal): AsyncGenerator<KeyColumnBlock, void, undefined> {
    for (const place of (await this.summary(signal)).places) yield await this.block(place, signal)
  }

  /**
   * Reads every byte and checks it, and that what the footer says is what there is. @throws {VarveError} TABLE_CORRUPT,
   * INCOMPATIBLE, FILE_MISSING
   */
  async verify(signal?: AbortSignal): Promise<void> {
    const { ref } = this.#file
    const { places, keyBytes, valueBytes } = await this.summary(signal)
    const content = this.#hash.stream64(0n)
    let [keysLeft, valuesLeft, end] = [keyBytes, valueBytes, 0]
    for (const place of places) {
      throwIfAborted(signal)
      const bytes = await this.#file.read(place.offset, place.length, optionsOf(signal))
      content.update(bytes)
      const { count, keyStarts, valueLengths } = decodeKeyColumnBlock(
        bytes,
        place,
        ref.name,
        this.#identity,
        this.#hash,
      )
      keysLeft -= keyStarts[count] as number
      for (const length of valueLengths) valuesLeft -= length
      end = place.offset + place.length
    }
    content.update(await this.#file.read(end, ref.bytes - end, optionsOf(signal)))
    const whole = { file: ref.name, part: 'file', offset: 0 } as const
    if (keysLeft !== 0 || valuesLeft !== 0)
      throw tableCorrupt(whole, 'bytes of keys and values are not what the footer says')
    if (formatHash64(content.digest()) !== ref.checksum)
      throw tableCorrupt(whole, 'checksum does not match its reference')
  }

  /** Closes the file. Idempotent. */
  close(): Promise<void> {
    return this.#file.close()
  }
}

function optionsOf(signal: AbortSignal | undefined): ReadOptions {
  return signal === undefined ? {} : { signal }
}
