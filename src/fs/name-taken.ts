/** The error of whoever wants a name that has been used: names are used once. */

import { VarveError } from '../kernel/errors.ts'
import type { FileName } from '../kernel/ids.ts'

export function nameTaken(name: FileName, cause?: unknown): VarveError {
  return new VarveError('EXISTS', `the file name ${name} has been used`, { cause, details: { name } })
}
