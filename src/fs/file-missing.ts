/** When a file is not what its reference says, or ends before what is asked of it. */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'

/**
 * Checks what a reader is asked for, before memory is taken for it: a damaged index may ask for anything.
 *
 * @throws {RangeError} no range at all
 * @throws {VarveError} FILE_MISSING — beyond the end of the file
 */
export function checkRange(ref: FileRef, offset: number, length: number): void {
  if (!(Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0)) {
    throw new RangeError(`offset and length must be integers from 0 on, got ${offset} and ${length}`)
  }
  if (offset + length > ref.bytes) throw fileMissing(ref, ref.bytes, offset + length)
}

/**
 * @param found the length that was found, undefined where there is no file
 * @param needed the length it should have
 * @param cause what there is in its place
 */
export function fileMissing(
  ref: FileRef,
  found: number | undefined,
  needed: number = ref.bytes,
  cause?: VarveError,
): VarveError {
  const what = found === undefined ? 'is missing' : `ends at byte ${found}`
  const instead = cause === undefined ? '' : `: there is ${String(cause.details['found'])} in its place`
  return new VarveError('FILE_MISSING', `file ${ref.name} ${what}, expected ${needed} bytes${instead}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { file: ref.name, found, expected: needed },
  })
}
