/** How damage to a table file is reported: one error, with the place where it was found. */

import { VarveError } from '../kernel/errors.ts'

/** What a table file is made of, and `file` for the whole of it. */
export type TablePart = 'block' | 'ranges' | 'filter' | 'index' | 'properties' | 'footer' | 'file'

export interface TablePlace {
  readonly file: string
  readonly part: TablePart
  /** Where the part starts in the file, in bytes. */
  readonly offset: number
}

export function tableCorrupt(place: TablePlace, reason: string, cause?: unknown): VarveError {
  return new VarveError('TABLE_CORRUPT', `${place.part} at ${place.file}:${place.offset} is damaged: ${reason}`, {
    details: { file: place.file, offset: place.offset, part: place.part, reason },
    cause,
  })
}
