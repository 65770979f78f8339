/** When stored bytes of a file are not what was written. */

import { VarveError } from '../kernel/errors.ts'

/** @param offset where the part begins in the stored file, in bytes */
export function fileCorrupt(file: string, offset: number, part: 'header' | 'chunk', reason: string): VarveError {
  return new VarveError('FILE_CORRUPT', `the ${part} at ${file}:${offset} is not what was written: ${reason}`, {
    details: { file, offset, part },
  })
}
