/** The shape of a version: tables by level, as reads and the policy want them. */

import { compareCuts, isAfterCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { FileName } from '../../kernel/ids.ts'
import type { RunTable } from '../../sst/run-cursor.ts'
import type { TableHandle } from '../../sst/table-handle.ts'
import type { PolicyFile } from '../../shard/policy/policy.ts'
import { failHead } from '../../shard/head-content.ts'
import { TIERED_LEVEL_LAST } from '../../shard/policy/tiered.ts'
import type { VersionFile } from '../../shard/shard.ts'
import { columnsByTable, isKeyColumn } from './key-columns.ts'
import type { LevelStatistics } from './kv.ts'
import { firstPoint, lastPoint } from './key-point.ts'
import type { KeyPoint } from './key-point.ts'
import { decodeView, viewedMeta } from './key-view.ts'
import { decodeTableMeta } from './table-meta.ts'
import type { CutSpan, TableMeta } from './table-meta.ts'

/** A table of a version, and what the engine knows of it. For people; not to be kept beyond the moment. */
export interface KvTable {
  /** As the manifest has it. */
  readonly file: VersionFile
  /** As this shard sees the table. */
  readonly meta: TableMeta
  /** Only what lies between these two cuts is this shard's; undefined: all of it. */
  readonly view: CutSpan | undefined
  /** By which the engine reads it. */
  readonly handle: TableHandle
  /** The table as compaction policies see it. */
  readonly placed: PolicyFile<KeyPoint>
}

/** Tables whose keys do not overlap, in order, as a scan wants them: looked through once a version, not once a scan. */
export interface SortedRun {
  /** Those with entries. */
  readonly tables: readonly KvTable[]
  /** The same for a cursor. */
  readonly cursorTables: readonly RunTable[]
  /** Those with range tombstones. */
  readonly covering: readonly KvTable[]
}

export interface Levels {
  /** Level 0 newest first; deeper levels in key order, disjoint. At least one level. */
  readonly levels: readonly (readonly KvTable[])[]
  /** The levels below 0 that have tables, in order. */
  readonly runs: readonly (readonly KvTable[])[]
  /** What a scan merges, newest first: each table of level 0, then `runs`. */
  readonly sorted: readonly SortedRun[]
  readonly byName: ReadonlyMap<FileName, KvTable>
  /** Key columns by the name of the table they belong to. */
  readonly columns: ReadonlyMap<FileName, VersionFile>
}

/**
 * @param handleOf opens nothing; gives the handle by which the table will be read
 * @throws {VarveError} HEAD_CORRUPT
 */
export function makeLevels(
  files: readonly VersionFile[],
  previous: Levels | undefined,
  order: KeyOrder,
  handleOf: (file: VersionFile) => TableHandle,
): Levels {
  const levels: KvTable[][] = [[]]
  const byName = new Map<FileName, KvTable>()
  for (const file of files) {
    if (isKeyColumn(file.format)) continue
    const known = previous?.byName.get(file.ref.name)
    const table = known?.file === file ? known : describe(file, known, order, handleOf)
    byName.set(file.ref.name, table)
    if (file.group > TIERED_LEVEL_LAST)
      failHead(`description of ${file.ref.name}`, `there is no level ${file.group}`, 0)
    while (levels.length <= file.group) levels.push([])
    levels[file.group]?.push(table)
  }
  levels[0]?.sort((a, b) => b.file.seqnoLast - a.file.seqnoLast)
  for (const level of levels.slice(1)) {
    level.sort((a, b) => compareCuts(order, a.meta.lower, b.meta.lower))
  }
  const runs = levels.slice(1).filter((level) => level.length > 0)
  const sorted = [...(levels[0] ?? []).map((table) => [table]), ...runs].map(toSortedRun)
  return Object.freeze({ levels, runs, sorted, byName, columns: columnsByTable(files) })
}

function toSortedRun(run: readonly KvTable[]): SortedRun {
  const tables = run.filter(({ meta }) => meta.entryCount > 0)
  return { tables, cursorTables: tables.map(toRunTable), covering: run.filter(({ meta }) => meta.rangeCount > 0) }
}

export function toRunTable({ meta: { keyFirst, keyLast }, view, handle }: KvTable): RunTable {
  return { keyFirst, keyLast, source: handle, within: view }
}

function describe(
  file: VersionFile,
  known: KvTable | undefined,
  order: KeyOrder,
  handleOf: (file: VersionFile) => TableHandle,
): KvTable {
  const { meta, view } = known ?? describeContent(file, order)
  const placed = {
    name: file.ref.name,
    bytes: file.ref.bytes,
    entries: meta.entryCount,
    deletions: meta.deleteCount,
    level: file.group,
    first: firstPoint(meta.lower),
    last: lastPoint(meta.upper),
    seqnoLast: file.seqnoLast,
    covers: meta.covers.map(({ lower, upper }) => ({ first: firstPoint(lower), last: lastPoint(upper) })),
  }
  return { file, meta, view, handle: known?.handle ?? handleOf(file), placed }
}

/** @throws {VarveError} HEAD_CORRUPT */
function describeContent(file: VersionFile, order: KeyOrder): Pick<KvTable, 'meta' | 'view'> {
  const meta = decodeTableMeta(file.meta, file.ref.name)
  const view = decodeView(file.view, file.ref.name)
  return { meta: view === undefined ? meta : viewedMeta(meta, view, order), view }
}

/** The one table of a sorted level that may hold `key`. */
export function tableFor(level: readonly KvTable[], key: Uint8Array, order: KeyOrder): KvTable | undefined {
  let low = 0
  let high = level.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfterCut(order, key, 0, key.length, (level[middle] as KvTable).meta.upper)) low = middle + 1
    else high = middle
  }
  const table = level[low]
  return table !== undefined && isAfterCut(order, key, 0, key.length, table.meta.lower) ? table : undefined
}

/** Whether `key` is within the bounds of the table. */
export function mayHold(table: KvTable, key: Uint8Array, order: KeyOrder): boolean {
  const { lower, upper } = table.meta
  return isAfterCut(order, key, 0, key.length, lower) && !isAfterCut(order, key, 0, key.length, upper)
}

export function levelStatistics({ levels }: Levels): readonly LevelStatistics[] {
  return levels.map((tables, level) => ({
    level,
    files: tables.length,
    entries: tables.reduce((sum, table) => sum + table.meta.entryCount, 0),
    bytes: tables.reduce((sum, table) => sum + table.file.ref.bytes, 0),
  }))
}
