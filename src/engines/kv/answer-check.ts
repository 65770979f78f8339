/**
 * Whether what jobs have answered may be installed: what the manifest will say of their outputs is looked at, not the
 * files, of which told-tables.ts has those that were written elsewhere.
 *
 * Outputs are disjoint, each job kept to its part of the keys, and no entry is unaccounted for: what all jobs have read is
 * what the inputs have, and what each has read it has either written or dropped.
 */

import { isCode } from '../../kernel/errors.ts'
import { compareCuts } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { JobOutput, JobSpec } from '../../jobs/jobs.ts'
import { rejected } from '../../shard/job-runner.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { KEY_COLUMN_FORMAT } from '../../sst/key-column.ts'
import type { MergeParameters, TableParameters } from './job-parameters.ts'
import { decodeColumnMeta, isKeyColumn } from './key-columns.ts'
import { decodeTableMeta } from './table-meta.ts'

/** @param jobs of one change, in the order of their keys @throws {VarveError} JOB_REJECTED */
export function checkAnswers(jobs: readonly AnsweredJob[], order: KeyOrder): void {
  let last: KeyCut | undefined
  for (const { spec, outputs, statistics } of jobs) {
    const { lower, upper, group, format } = spec.parameters as Partial<MergeParameters>
    let written = 0
    for (const [index, output] of outputs.entries()) {
      const { name } = output.ref
      if (output.group !== group) throw rejected(spec, `${name} is for level ${output.group}, not ${group}`)
      if (isKeyColumn(output.format)) {
        checkColumn(spec, output, outputs[index - 1])
        continue
      }
      if (output.format.name !== format?.name || output.format.version !== format.version)
        throw rejected(spec, `${name} is in format ${output.format.name} ${output.format.version}`)
      const meta = described(spec, () => decodeTableMeta(output.meta, name))
      if (meta.entryCount + meta.rangeCount < 1) throw rejected(spec, `${name} is empty`)
      if (compareCuts(order, meta.lower, meta.upper) >= 0) throw rejected(spec, `${name} ends before it starts`)
      if (last !== undefined && compareCuts(order, last, meta.lower) > 0) {
        throw rejected(spec, `${name} overlaps the output before it`)
      }
      if (lower !== undefined && compareCuts(order, meta.lower, lower) < 0) {
        throw rejected(spec, `${name} begins before the part of its job`)
      }
      if (upper !== undefined && compareCuts(order, meta.upper, upper) > 0) {
        throw rejected(spec, `${name} ends after the part of its job`)
      }
      last = meta.upper
      written += meta.entryCount
    }
    const { entriesRead = -1, entriesDropped = -1 } = statistics
    if (written !== entriesRead - entriesDropped) {
      throw rejected(spec, `of ${entriesRead} entries ${entriesDropped} were dropped and ${written} written`)
    }
  }
  checkCount(jobs)
}

/** @param table the output before it */
function checkColumn(spec: JobSpec, { ref, format, meta }: JobOutput, table: JobOutput | undefined): void {
  if (format.version !== KEY_COLUMN_FORMAT.version) throw rejected(spec, `${ref.name} is in version ${format.version}`)
  const column = described(spec, () => decodeColumnMeta(meta, ref.name))
  if (table === undefined || column.table !== table.ref.name) throw rejected(spec, `${ref.name} follows no table`)
  if (column.entryCount !== decodeTableMeta(table.meta, table.ref.name).entryCount) {
    throw rejected(spec, `${ref.name} has other entries than its table`)
  }
}

/** What a worker says of a file: it is in no head yet, whatever the error says. */
function described<Meta>(spec: JobSpec, decode: () => Meta): Meta {
  try {
    return decode()
  } catch (error) {
    throw isCode(error, 'HEAD_CORRUPT') ? rejected(spec, error.message) : error
  }
}

function checkCount(jobs: readonly AnsweredJob[]): void {
  const [first] = jobs
  if (first === undefined) return
  const entriesRead = jobs.reduce((sum, { statistics: { entriesRead: read = -1 } }) => sum + read, 0)
  const { count, covers } = contentOf(jobs)
  // What a range tombstone hides as a whole is not even read, nor what is outside of a view.
  if (covers ? entriesRead > count : entriesRead !== count) {
    throw rejected(first.spec, `its change has ${count} entries to read, and ${entriesRead} were read`)
  }
}

/** Entries of all inputs, and whether some of them need not be read: there are range tombstones, or other shards' entries. */
function contentOf(jobs: readonly AnsweredJob[]): { readonly count: number; readonly covers: boolean } {
  const seen = new Set<string>()
  let count = 0
  let covers = false
  for (const { spec } of jobs) {
    for (const input of spec.inputs) {
      if (input.type === 'memory') {
        count += (spec.parameters as TableParameters).entriesExpected
      } else if (!seen.has(input.ref.name)) {
        seen.add(input.ref.name)
        const { entryCount, rangeCount } = decodeTableMeta(input.meta, input.ref.name)
        count += entryCount
        covers ||= rangeCount > 0 || input.view.length > 0
      }
    }
  }
  return { count, covers }
}
