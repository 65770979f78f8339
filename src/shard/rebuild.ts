/** After an append that was refused: the memtables have operations that are not in the journal. Makes them anew from what is. */

import type { Clock } from '../kernel/clock.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type { ManifestLog } from './manifest-log.ts'
import { replayInto } from './replay.ts'
import type { Engine } from './shard.ts'
import { TableStack } from './table-stack.ts'
import type { Views } from './version.ts'

export interface RebuildParts<Operation, Table extends Memtable<Operation>, Shape> {
  readonly engine: Engine<Operation, Table, Shape>
  readonly journal: Journal
  readonly clock: Clock
  readonly manifest: ManifestLog
  readonly tables: TableStack<Table>
  readonly views: Views<Table, Shape>
}

/**
 * Replaces the tables with operations after `visible`. Until everything is in the new one, readers see the old: a flush that
 * is committed meanwhile shows them whatever tables there are.
 *
 * @returns seqno of the last operation that is in the journal
 */
export async function rebuildTables<Operation, Table extends Memtable<Operation>, Shape>(
  { engine, journal, clock, manifest, tables, views }: RebuildParts<Operation, Table, Shape>,
  visible: Seqno,
): Promise<Seqno> {
  const { position, seqnoBefore = manifest.state.seqnoLast } = tables.startAfter(visible)
  const rebuilt = new TableStack(engine.memtable(), position)
  const { seqnoLast } = await replayInto({ journal, engine, clock }, rebuilt, position, seqnoBefore, Infinity)
  const dropped = tables.rewind(visible, rebuilt.active)
  views.advance(
    tables.list(),
    views.current.version,
    dropped.map((table) => () => table.release()),
  )
  return seqnoLast
}
