/** The table formats this engine reads; new files are written in the first. */

import { VarveError } from '../../kernel/errors.ts'
import type { FormatReference } from '../../jobs/jobs.ts'
import { rowTableFormat } from '../../sst/row-format.ts'
import type { TableFormat } from '../../sst/sst.ts'

const FORMATS: readonly TableFormat[] = [rowTableFormat]

export const WRITTEN_FORMAT: FormatReference = { name: rowTableFormat.name, version: rowTableFormat.version }

/** @throws {VarveError} INCOMPATIBLE */
export function tableFormat(reference: FormatReference): TableFormat {
  const { name, version } = reference
  const format = FORMATS.find(
    (known) => known.name === name && known.versionFirst <= version && version <= known.version,
  )
  if (format !== undefined) return format
  throw new VarveError('INCOMPATIBLE', `table format ${name} version ${version} is not known`, {
    details: { what: 'table format', found: reference },
  })
}
