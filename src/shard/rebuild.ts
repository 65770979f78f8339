/** After NO_SPACE or OUT_OF_FILES: the memtables have operations that are not in the journal. Makes them anew from what is. */

import type { Seqno } from '../kernel/ids.ts'
import type { Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type { ManifestLog } from './manifest-log.ts'
import { replayInto } from './replay.ts'
import type { Engine } from './shard.ts'
import type { TableStack } from './table-stack.ts'
import type { Views } from './version.ts'

export interface RebuildParts<Operation, Table extends Memtable<Operation>, Shape> {
  readonly engine: Engine<Operation, Table, Shape>
  readonly journal: Journal
  readonly manifest: ManifestLog
  readonly tables: TableStack<Table>
  readonly views: Views<Table, Shape>
}

/**
 * Replaces the tables with operations after `visible`.
 *
 * @returns seqno of the last operation that is in the journal
 */
export async function rebuildTables<Operation, Table extends Memtable<Operation>, Shape>(
  { engine, journal, manifest, tables, views }: RebuildParts<Operation, Table, Shape>,
  visible: Seqno,
): Promise<Seqno> {
  const { dropped, positionFirst } = tables.rewind(visible, engine.memtable())
  const before = tables.newestFrozen?.seqnoLast ?? manifest.state.seqnoLast
  const { seqnoLast } = await replayInto(journal, engine, tables, positionFirst, before, Infinity)
  views.advance(
    tables.list(),
    views.current.version,
    dropped.map((table) => () => table.release()),
  )
  return seqnoLast
}
