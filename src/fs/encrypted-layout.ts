/**
 * Where what is in an encrypted file: a header, then chunks of equal size, each with its tag; the last may be shorter.
 *
 *      0        96                  96 + S              96 + 2S
 *      +--------+-------------------+-------------------+-- … --+-----------------------+
 *      | header | chunk 0     | tag | chunk 1     | tag |       | last chunk      | tag |
 *      |        | 16,384 B    | 16  | 16,384 B    | 16  |       | 0 … 16,384 B    | 16  |
 *      +--------+-------------------+-------------------+-- … --+-----------------------+
 *      S = 16,400
 *
 * One length follows from the other, so listing needs no reading. Spec: docs/formats/encrypted-file.md.
 */

import { KIB } from '../kernel/limits.ts'
import { TAG_BYTES } from './aes-gcm.ts'
import { HEADER_BYTES } from './encryption-header.ts'

// A chunk costs a fixed time beside that for its bytes: 16 KiB are encrypted twice as fast as four times 4 KiB, and a
// point read of one 4 KiB block decrypts 1.25 of them, a third more time than with chunks of 4 KiB.
export const CHUNK_BYTES = 16 * KIB
export const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES

export function storedLength(plainBytes: number): number {
  return HEADER_BYTES + plainBytes + chunkCount(plainBytes) * TAG_BYTES
}

/** What `storedLength` was given; of a length that it never gives, what there is room for. */
export function plainLength(storedBytes: number): number {
  const sealed = Math.max(0, storedBytes - HEADER_BYTES)
  return Math.max(0, sealed - Math.ceil(sealed / SEALED_BYTES) * TAG_BYTES)
}

/** An empty file has an empty chunk: its end is under a tag like any other. */
export function chunkCount(plainBytes: number): number {
  return Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES))
}

/** Where chunk `index` begins in the stored file. */
export function chunkStart(index: number): number {
  return HEADER_BYTES + index * SEALED_BYTES
}
