/** Writes one key column, beside the table whose entries it gets. */

import { copyOf, sharedPrefixLength } from '../kernel/bytes.ts'
import { Encoder } from '../kernel/codec.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import type { FileWriter } from '../fs/fs.ts'
import { PART_BLOCK, PART_INDEX, fileIdentity, partSeed } from './file-identity.ts'
import { encodeKeyColumnFooter, encodeKeyColumnIndex } from './key-column.ts'
import type { KeyColumnPlace } from './key-column.ts'
import { OutputQueue } from './output-queue.ts'

// Readers go through all of it: large enough that what is read at once costs little, small enough to hold.
const BLOCK_BYTES = 32 * KIB
// Keys that share long prefixes take few bytes here and many where they are read.
const BLOCK_KEY_BYTES = 256 * KIB

export class KeyColumnWriter {
  readonly #sink: FileWriter
  readonly #hash: Hash
  readonly #identity: bigint
  readonly #output: OutputQueue
  readonly #kinds = new Encoder()
  readonly #lengths = new Encoder()
  readonly #seqnos = new Encoder()
  readonly #keys = new Encoder()
  readonly #blocks: KeyColumnPlace[] = []
  #count = 0
  /** Of the keys in the block, with what they share. */
  #blockKeyBytes = 0
  #lastKey: Uint8Array = new Uint8Array(0)
  #entryCount = 0
  #keyBytes = 0
  #valueBytes = 0

  /** @param sink becomes the writer's */
  constructor(sink: FileWriter, hash: Hash) {
    this.#sink = sink
    this.#hash = hash
    this.#identity = fileIdentity(hash, sink.name)
    this.#output = new OutputQueue(sink)
  }

  get entryCount(): number {
    return this.#entryCount
  }

  /** Bytes that wait for `drain`. */
  get pendingBytes(): number {
    return this.#output.pendingBytes
  }

  /** Adds entries [start, limit), in the order of the table. */
  append({ keys, keyStarts, valueLengths, seqnos, kinds }: EntryBatch, start: number, limit: number): void {
    let last = this.#lastKey
    let [lastStart, lastLimit] = [0, last.length]
    for (let index = start; index < limit; index++) {
      const [keyStart, keyLimit] = [keyStarts[index] as number, keyStarts[index + 1] as number]
      const valueLength = valueLengths[index] as number
      const shared = this.#count === 0 ? 0 : sharedPrefixLength(last, lastStart, lastLimit, keys, keyStart, keyLimit)
      this.#kinds.u8(kinds[index] as number)
      this.#lengths.varint(valueLength)
      this.#seqnos.varint(seqnos[index] as number)
      this.#keys.varint(shared).bytes(keys.subarray(keyStart + shared, keyLimit))
      this.#count++
      this.#blockKeyBytes += keyLimit - keyStart
      this.#keyBytes += keyLimit - keyStart
      this.#valueBytes += valueLength
      ;[last, lastStart, lastLimit] = [keys, keyStart, keyLimit]
      if (this.#keys.length >= BLOCK_BYTES || this.#blockKeyBytes >= BLOCK_KEY_BYTES) this.#endBlock()
    }
    this.#entryCount += Math.max(0, limit - start)
    this.#lastKey = copyOf(last, lastStart, lastLimit)
  }

  drain(): Promise<void> {
    return this.#output.drain()
  }

  /** Ends the column; at least one entry has been appended. The file is durable when this resolves. */
  async finish(): Promise<FileRef> {
    this.#endBlock()
    const index = encodeKeyColumnIndex(this.#blocks)
    const indexOffset = this.#output.bytes
    const indexChecksum = this.#hash.hash64(index, partSeed(this.#identity, PART_INDEX, indexOffset))
    this.#output.push(index, true)
    const [entryCount, keyBytes, valueBytes] = [this.#entryCount, this.#keyBytes, this.#valueBytes]
    const footer = { entryCount, keyBytes, valueBytes, indexOffset, indexChecksum }
    this.#output.push(encodeKeyColumnFooter(footer, this.#identity, this.#hash, this.#output.bytes), true)
    await this.#output.drain()
    return await this.#sink.finish()
  }

  /** Idempotent. */
  async abort(): Promise<void> {
    this.#output.discard()
    await this.#sink.abort()
  }

  #endBlock(): void {
    if (this.#count === 0) return
    const encoder = new Encoder().varint(this.#count)
    for (const column of [this.#kinds, this.#lengths, this.#seqnos, this.#keys]) {
      encoder.raw(column.view())
      column.clear()
    }
    const block = encoder.view()
    const offset = this.#output.bytes
    const checksum = this.#hash.hash64(block, partSeed(this.#identity, PART_BLOCK, offset))
    this.#blocks.push({ offset, length: block.length, entryCount: this.#count, checksum })
    this.#output.push(block, true)
    this.#count = 0
    this.#blockKeyBytes = 0
  }
}
