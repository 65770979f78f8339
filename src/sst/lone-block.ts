/**
 * An entry as it is stored, in a block of its own: what a merge writes again as it lies, where it is larger than blocks
 * are. Compressing 16 KiB takes 28 µs, hashing what comes of it less than one (docs/performance-notes.md).
 */

import type { EntryForm } from '../kernel/entry-batch.ts'
import type { BlockCodecName } from './block-codec.ts'

export class LoneBlock implements EntryForm {
  /** Packed and perhaps compressed; its checksum has been verified. As long-lived as the block it was decoded to. */
  readonly stored: Uint8Array
  /** What it was compressed by, where that was worth it. */
  readonly codec: BlockCodecName
  /** Of the block in memory. */
  readonly blockBytes: number
  /** What is stored; a merge may have given the entry a lower one, which nobody needs to see. */
  readonly seqno: number

  constructor(stored: Uint8Array, codec: BlockCodecName, blockBytes: number, seqno: number) {
    this.stored = stored
    this.codec = codec
    this.blockBytes = blockBytes
    this.seqno = seqno
  }
}
