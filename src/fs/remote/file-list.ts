/** A list of files as bytes: a long one is over the limit of a message. Count, then name and length of each. */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import { VarveError } from '../../kernel/errors.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileInfo } from '../fs.ts'

export function encodeFileList(files: readonly FileInfo[]): Uint8Array {
  const encoder = new Encoder(64 + 48 * files.length).varint(files.length)
  for (const { name, bytes } of files) encoder.text(name).varint(bytes)
  return encoder.finish()
}

/** @throws {VarveError} IO_FAILED — not a list */
export function decodeFileList(bytes: Uint8Array): FileInfo[] {
  const decoder = new Decoder(bytes, (reason) => {
    throw new VarveError('IO_FAILED', `a list of files is damaged: ${reason}`, { details: { operation: 'list' } })
  })
  // A name has a character, and both have a length.
  const files = Array.from({ length: decoder.count(3) }, () => ({
    name: decoder.parsed(fileName),
    bytes: decoder.varint(),
  }))
  decoder.end()
  return files
}
