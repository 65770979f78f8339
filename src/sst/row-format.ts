/**
 * The row table format, version 1: sorted entries in compressed blocks that are searched as they lie.
 *
 *      +---------+---------+-----+---------+--------+--------+-------+------------+-----------+
 *      | block 0 | block 1 | ... | block n | ranges | filter | index | properties | footer    |
 *      |         |         |     |         |        |        |       |            | 128 bytes |
 *      +---------+---------+-----+---------+--------+--------+-------+------------+-----------+
 *
 * Spec: docs/formats/row-table.md.
 */

import { ROW_FORMAT_VERSION } from './row-footer.ts'
import { RowTableReader } from './row-reader.ts'
import { RowTableWriter } from './row-writer.ts'
import type { TableFormat } from './sst.ts'

export const rowTableFormat: TableFormat = Object.freeze({
  name: 'row',
  version: ROW_FORMAT_VERSION,
  writer: (sink, options) => new RowTableWriter(sink, options),
  reader: (file, options) => new RowTableReader(file, options),
} satisfies TableFormat)
