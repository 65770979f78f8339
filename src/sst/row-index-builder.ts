/** Collects what the index says of each block and lays it out (row-index.ts has the picture). */

import { assert } from '../kernel/assert.ts'
import { sharedPrefixLength } from '../kernel/bytes.ts'
import { BLOCK_CODECS } from './block-codec.ts'
import type { BlockCodecName } from './block-codec.ts'
import { INDEX_BLOCK_BYTES, INDEX_HEADER_BYTES, INDEX_PACKED } from './row-index.ts'

const NO_KEY = new Uint8Array(0)

export class RowIndexBuilder {
  readonly #checksums: bigint[] = []
  readonly #storedLengths: number[] = []
  readonly #decodedLengths: number[] = []
  readonly #separators: Uint8Array[] = []

  get blockCount(): number {
    return this.#checksums.length
  }

  /** What separates the block that was named last from the next is not known yet. */
  get lacksSeparator(): boolean {
    return this.#separators.length < this.#checksums.length
  }

  /** Names a finished block; its separator follows when the next key is known. */
  addBlock(checksum: bigint, storedLength: number, decodedLength: number): void {
    assert(this.#separators.length === this.#checksums.length, 'the block before has no separator')
    this.#checksums.push(checksum)
    this.#storedLengths.push(storedLength)
    this.#decodedLengths.push(decodedLength)
  }

  /** @param separator kept */
  addSeparator(separator: Uint8Array): void {
    this.#separators.push(separator)
    assert(this.#separators.length === this.#checksums.length, 'a block has one separator')
  }

  /** @param bytewise separators ascend bytewise, so that the first and the last have what all have in common */
  finish(birth: bigint, codec: BlockCodecName, bytewise: boolean): Uint8Array {
    const blockCount = this.blockCount
    // A table of range tombstones alone has no blocks.
    const first = this.#separators[0] ?? NO_KEY
    const last = this.#separators[blockCount - 1] ?? NO_KEY
    const prefixLength = bytewise ? sharedPrefixLength(first, 0, first.length, last, 0, last.length) : 0
    let keyBytes = 0
    for (const separator of this.#separators) keyBytes += separator.length - prefixLength
    const bytes = new Uint8Array(INDEX_HEADER_BYTES + blockCount * INDEX_BLOCK_BYTES + 4 + prefixLength + keyBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, blockCount, true)
    view.setUint32(4, prefixLength, true)
    view.setBigUint64(8, birth, true)
    view.setUint32(16, BLOCK_CODECS.indexOf(codec) + INDEX_PACKED, true)
    view.setUint32(20, keyBytes, true)
    const storedLengths = INDEX_HEADER_BYTES + blockCount * 8
    const decodedLengths = storedLengths + blockCount * 4
    const keyStarts = decodedLengths + blockCount * 4
    const prefix = keyStarts + (blockCount + 1) * 4
    const keys = prefix + prefixLength
    bytes.set(first.subarray(0, prefixLength), prefix)
    let keyStart = 0
    for (let block = 0; block < blockCount; block++) {
      const separator = (this.#separators[block] as Uint8Array).subarray(prefixLength)
      view.setBigUint64(INDEX_HEADER_BYTES + block * 8, this.#checksums[block] as bigint, true)
      view.setUint32(storedLengths + block * 4, this.#storedLengths[block] as number, true)
      view.setUint32(decodedLengths + block * 4, this.#decodedLengths[block] as number, true)
      view.setUint32(keyStarts + block * 4, keyStart, true)
      bytes.set(separator, keys + keyStart)
      keyStart += separator.length
    }
    view.setUint32(keyStarts + blockCount * 4, keyStart, true)
    return bytes
  }
}
