/** From a block into an entry batch: the one loop that every scanned entry passes through. */

import { headOf } from '../kernel/bytes.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import type { RowBlock } from './row-block.ts'

// Longer keys are copied by two calls of `set`, which cost as much as about a dozen words.
const WORD_KEY_BYTES_MAX = 64

/** Adds `count` entries of `block` from `first`, with `step` 1 or −1 between them, to `into`, which has room for them. */
export function copyEntries(block: RowBlock, first: number, count: number, step: 1 | -1, into: EntryBatch): void {
  if (count === 0) return
  // What the loop touches are locals, and keys go over in words.
  const bytes = block.bytes
  const source = block.view
  const { tagBytes, prefixStart, prefixLength, seqnoBase } = block
  const { headsAt, tagsAt } = block
  const keysAt = block.keysAt
  const valuesAt = block.valuesAt
  const boundary = step === 1 ? 1 : 0
  // The last word of a key may reach past it, into the values.
  const wordBytesMax = block.limitAt - valuesAt >= 4 ? WORD_KEY_BYTES_MAX : 0
  const prefixHead = headOf(bytes, prefixStart, prefixStart + prefixLength)
  const valueBlock = into.block(bytes, block.own, block.piece)
  const { keyStarts, heads, seqnos, kinds, valueBlocks, valueStarts, valueLengths } = into
  let keys = into.keys
  let target = new DataView(keys.buffer, keys.byteOffset, keys.length)
  let slot = into.count
  if (block.lone !== undefined) into.setForm(slot, block.lone)
  let keyAt = keyStarts[slot] as number
  let restEdge = block.offsetAt(block.keyOffsetsAt, first + 1 - boundary)
  let valueEdge = block.offsetAt(block.valueOffsetsAt, first + 1 - boundary)
  for (let done = 0, index = first; done < count; done++, index += step, slot++) {
    const restOther = block.offsetAt(block.keyOffsetsAt, index + boundary)
    const valueOther = block.offsetAt(block.valueOffsetsAt, index + boundary)
    const restStart = step === 1 ? restEdge : restOther
    const valueStart = step === 1 ? valueEdge : valueOther
    const rest = (restOther - restEdge) * step
    const tagAt = tagsAt + index * tagBytes
    const firstByte = bytes[tagAt] as number
    const suffix = rest > 0 ? rest + 4 : 4 - ((firstByte >>> 4) & 7)
    const length = prefixLength + suffix
    if (keyAt + length + 4 > keys.length) {
      into.count = slot
      into.reserveKey(length + 4)
      keys = into.keys
      target = new DataView(keys.buffer, keys.byteOffset, keys.length)
    }
    const blockHead = source.getUint32(headsAt + index * 4, true)
    if (length <= wordBytesMax) {
      let at = keyAt
      for (let from = prefixStart, limit = at + prefixLength; at < limit; at += 4, from += 4) {
        target.setInt32(at, source.getInt32(from, true), true)
      }
      at = keyAt + prefixLength
      target.setInt32(at, blockHead, false)
      at += 4
      for (let from = keysAt + restStart, limit = at + rest; at < limit; at += 4, from += 4) {
        target.setInt32(at, source.getInt32(from, true), true)
      }
    } else {
      block.putKey(index, keys, keyAt, length)
    }
    heads[slot] =
      prefixLength >= 4 ? prefixHead : prefixLength === 0 ? blockHead : prefixHead | (blockHead >>> (prefixLength * 8))
    if (tagBytes === 4) seqnos[slot] = seqnoBase + (source.getInt32(tagAt, true) >>> 7)
    else if (tagBytes === 1) seqnos[slot] = seqnoBase + (firstByte >>> 7)
    else seqnos[slot] = block.seqnoAt(index)
    kinds[slot] = firstByte & 15
    valueBlocks[slot] = valueBlock
    valueStarts[slot] = valuesAt + valueStart
    valueLengths[slot] = (valueOther - valueEdge) * step
    keyAt += length
    keyStarts[slot + 1] = keyAt
    restEdge = restOther
    valueEdge = valueOther
  }
  into.count = slot
}
