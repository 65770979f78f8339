/** The one way to say that the journal is damaged. */

import { VarveError } from '../kernel/errors.ts'

export function journalCorrupt(file: string, offset: number, reason: string): VarveError {
  return new VarveError('JOURNAL_CORRUPT', `journal file ${file} is damaged at ${offset}: ${reason}`, {
    details: { file, offset, reason },
  })
}
