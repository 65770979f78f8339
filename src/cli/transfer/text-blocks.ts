/**
 * From bytes to text, in blocks of whole lines, checked to be UTF-8.
 *
 * Decoding a block at a time and cutting strings costs a fifth of decoding line by line. A mark in front (BOM) is left
 * out.
 */

import { isUtf8 } from 'node:buffer'
import { MIB } from '../../kernel/limits.ts'
import { utf8CharacterLength } from '../utf8-character.ts'

export interface TextBlock {
  /** Whole lines with their line feeds; only the last of all may lack its own. May be empty. */
  readonly text: string
  /** Bytes of the input it was made from. */
  readonly bytes: number
  /** Why the line after `text` cannot be read. Nothing follows. */
  readonly fault?: LineFault
}

export interface LineFault {
  /** In characters, from 1. */
  readonly column: number
  readonly reason: string
}

/** The longest value in base64, with room for a key. JavaScript has no strings above 512 MiB. */
const LINE_BYTES_MAX = 384 * MIB
const LINE_FEED = 10
const MARK = [0xef, 0xbb, 0xbf]

/** @param lineBytesMax a longer line is a fault */
export async function* textBlocks(
  pieces: AsyncIterable<Uint8Array>,
  lineBytesMax = LINE_BYTES_MAX,
): AsyncGenerator<TextBlock, void, undefined> {
  let carried: Uint8Array[] = []
  let carriedBytes = 0
  let isFirst = true
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(LINE_FEED) + 1
    if (carriedBytes + (end === 0 ? piece.length : piece.indexOf(LINE_FEED)) > lineBytesMax) {
      yield { text: '', bytes: 0, fault: { column: 1, reason: `the line is longer than ${lineBytesMax / MIB} MiB` } }
      return
    }
    if (end === 0) {
      carried.push(piece)
      carriedBytes += piece.length
      continue
    }
    const block = toBlock(Buffer.concat([...carried, piece.subarray(0, end)]), isFirst)
    yield block
    if (block.fault !== undefined) return
    isFirst = false
    carried = end === piece.length ? [] : [piece.subarray(end)]
    carriedBytes = piece.length - end
  }
  if (carriedBytes > 0) yield toBlock(Buffer.concat(carried), isFirst)
}

function toBlock(bytes: Buffer, isFirst: boolean): TextBlock {
  const hasMark = isFirst && MARK.every((byte, index) => bytes[index] === byte)
  const content = hasMark ? bytes.subarray(MARK.length) : bytes
  if (isUtf8(content)) return { text: content.toString(), bytes: bytes.length }
  for (let start = 0; ;) {
    const end = content.indexOf(LINE_FEED, start) + 1
    const line = content.subarray(start, end === 0 ? content.length : end)
    if (!isUtf8(line)) return { text: content.toString('utf8', 0, start), bytes: start, fault: faultOf(line) }
    start = end
  }
}

function faultOf(line: Buffer): LineFault {
  let column = 1
  for (let at = 0; ; column++) {
    const length = utf8CharacterLength(line, at)
    if (length === 0) {
      const byte = (line[at] ?? 0).toString(16).padStart(2, '0')
      return { column, reason: `byte 0x${byte} is not UTF-8; is the text in another encoding?` }
    }
    at += length
  }
}
