/**
 * Key columns beside tables: which belongs to which.
 *
 * A job that is asked to writes one beside every table it writes; from then on it is moved, rewritten and dropped with
 * that table. Its `meta` in the manifest names the table:
 *
 *      meta   name of the table text, entries varint
 */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import { throwIfAborted } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import type { FileStore } from '../../fs/fs.ts'
import type { FormatReference } from '../../jobs/jobs.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import { failHead } from '../../shard/head-content.ts'
import type { Shard, VersionFile } from '../../shard/shard.ts'
import { KEY_COLUMN_FORMAT } from '../../sst/key-column.ts'
import { KeyColumnReader } from '../../sst/key-column-reader.ts'
import type { VerifyOptions } from './kv.ts'
import type { KvTable, Levels } from './levels.ts'
import { checkColumnOptions } from './read-options.ts'

/** A key column of the current view, open. */
export interface TableKeyColumn {
  /** The table whose entries the column has. */
  readonly table: KvTable
  /** Lent until the next is asked for. */
  readonly column: KeyColumnReader
}

export function isKeyColumn({ name }: FormatReference): boolean {
  return name === KEY_COLUMN_FORMAT.name
}

export function encodeColumnMeta(table: FileName, entryCount: number): Uint8Array {
  return new Encoder().text(table).varint(entryCount).finish()
}

/** @throws {VarveError} HEAD_CORRUPT */
export function decodeColumnMeta(
  bytes: Uint8Array,
  file: string,
): { readonly table: FileName; readonly entryCount: number } {
  const decoder = new Decoder(bytes, (reason, at) => failHead(`description of ${file}`, reason, at))
  const meta = { table: decoder.parsed(fileName), entryCount: decoder.varint() }
  decoder.end()
  return meta
}

/** By the name of the table. */
export function columnsByTable(files: readonly VersionFile[]): ReadonlyMap<FileName, VersionFile> {
  const columns = files.filter(({ format }) => isKeyColumn(format))
  return new Map(columns.map((file) => [decodeColumnMeta(file.meta, file.ref.name).table, file]))
}

/** `tables`, and the key columns that go with them. */
export function withColumns(tables: readonly FileName[], { columns }: Levels): readonly FileName[] {
  if (columns.size === 0) return tables
  return tables.flatMap((name) => [
    name,
    ...(columns.get(name) === undefined ? [] : [(columns.get(name) as VersionFile).ref.name]),
  ])
}

/**
 * Opens one key column after the other, of the tables there are when the first is asked for, level 0 first; tables without
 * one are left out.
 *
 * @param check throws CLOSED where the shard is: at once, and when a column is asked for
 * @throws {TypeError} at once: wrong options
 */
export function openColumns(
  shard: Shard<OrderedOperation, OrderedMemtable, Levels>,
  files: FileStore,
  hash: Hash,
  options: Pick<VerifyOptions, 'signal'>,
  check: () => void,
): AsyncGenerator<TableKeyColumn, void, undefined> {
  check()
  checkColumnOptions(options)
  return openAll(shard, files, hash, () => {
    check()
    throwIfAborted(options.signal)
  })
}

async function* openAll(
  shard: Shard<OrderedOperation, OrderedMemtable, Levels>,
  files: FileStore,
  hash: Hash,
  check: () => void,
): AsyncGenerator<TableKeyColumn, void, undefined> {
  check()
  const view = shard.pin()
  try {
    const { levels, columns } = view.version.shape
    for (const table of levels.flat()) {
      const file = columns.get(table.file.ref.name)
      if (file === undefined) continue
      check()
      const column = new KeyColumnReader(await files.open(file.ref, { intent: 'stream' }), hash)
      try {
        yield { table, column }
      } finally {
        await column.close()
      }
    }
  } finally {
    shard.unpin(view)
  }
}
