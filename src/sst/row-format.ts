/**
 * The row table format, version 2: sorted entries in packed and compressed blocks. Reads version 1 as well.
 *
 *      +---------+---------+-----+---------+--------+--------+-------+------------+-----------+
 *      | block 0 | block 1 | ... | block n | ranges | filter | index | properties | footer    |
 *      |         |         |     |         |        |        |       |            | 128 bytes |
 *      +---------+---------+-----+---------+--------+--------+-------+------------+-----------+
 *
 * Spec: docs/formats/row-table.md.
 */

import { ROW_FORMAT_VERSION, ROW_FORMAT_VERSION_FIRST } from './row-footer.ts'
import { RowTableReader } from './row-reader.ts'
import { RowTableWriter } from './row-writer.ts'
import type { TableFormat } from './sst.ts'

/** The table format of the key-value engine; any engine of ordered keys may use it. */
export const rowTableFormat: TableFormat = Object.freeze({
  name: 'row',
  version: ROW_FORMAT_VERSION,
  versionFirst: ROW_FORMAT_VERSION_FIRST,
  writer: (sink, options) => new RowTableWriter(sink, options),
  reader: (file, options) => new RowTableReader(file, options),
} satisfies TableFormat)
