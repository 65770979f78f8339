/** Verifying a shard: every byte of every table, each by itself, so that one that is damaged hides no other. */

import { PENDING } from '../../kernel/cursor.ts'
import { isDamage } from '../../kernel/damage.ts'
import { throwIfAborted } from '../../kernel/errors.ts'
import type { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { FileStore } from '../../fs/fs.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { Shard, VersionFile } from '../../shard/shard.ts'
import { KeyColumnReader } from '../../sst/key-column-reader.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import type { TableReader } from '../../sst/sst.ts'
import type { VerifyOptions } from './kv.ts'
import type { KvTable, Levels } from './levels.ts'
import { checkVerifyOptions } from './read-options.ts'

/** What became of one file. Those of a table come one after the other. */
export interface TableVerification {
  /** The table that was read, or whose key column was. */
  readonly table: KvTable
  /** What was read: the table's, or its key column's. */
  readonly file: VersionFile
  /** TABLE_CORRUPT, FILE_MISSING, IO_FAILED and the like; undefined: the table is whole. */
  readonly damage: VarveError | undefined
}

/**
 * Verifies the tables there are when the first is asked for, which stay pinned meanwhile; level 0 first.
 *
 * @param check throws CLOSED where the shard is: at once, and when a table is asked for
 * @throws {TypeError} at once: wrong options
 */
export function verifyTables(
  shard: Shard<OrderedOperation, OrderedMemtable, Levels>,
  files: FileStore,
  hash: Hash,
  options: VerifyOptions,
  check: () => void,
): AsyncGenerator<TableVerification, void, undefined> {
  check()
  checkVerifyOptions(options)
  return verifyAll(shard, files, hash, options, check)
}

async function* verifyAll(
  shard: Shard<OrderedOperation, OrderedMemtable, Levels>,
  files: FileStore,
  hash: Hash,
  { level = 'structure', signal }: VerifyOptions,
  check: () => void,
): AsyncGenerator<TableVerification, void, undefined> {
  const checkOn = (): void => {
    check()
    throwIfAborted(signal)
  }
  checkOn()
  const view = shard.pin()
  try {
    const { levels, columns } = view.version.shape
    for (const table of levels.flat()) {
      checkOn()
      yield { table, file: table.file, damage: await told(signal, () => verifyTable(table, level, signal)) }
      const file = columns.get(table.file.ref.name)
      if (file === undefined) continue
      checkOn()
      yield { table, file, damage: await told(signal, () => verifyColumn(file, files, hash, signal)) }
    }
  } finally {
    shard.unpin(view)
  }
}

async function verifyTable(
  { handle }: KvTable,
  level: 'bytes' | 'structure',
  signal: AbortSignal | undefined,
): Promise<void> {
  const fetch = new BlockFetch()
  try {
    let reader: TableReader | typeof PENDING
    while ((reader = handle.reader(fetch)) === PENDING) await fetch.fill(signal)
    handle.keepOpen(fetch)
    await reader.verify(level, signal)
  } finally {
    fetch.clear()
  }
}

async function verifyColumn(
  file: VersionFile,
  files: FileStore,
  hash: Hash,
  signal: AbortSignal | undefined,
): Promise<void> {
  const column = new KeyColumnReader(await files.open(file.ref, { intent: 'stream' }), hash)
  try {
    await column.verify(signal)
  } finally {
    await column.close()
  }
}

/** The damage that `work` meets. */
async function told(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<VarveError | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    throwIfAborted(signal)
    // What this process may not read, or cannot decode, is not damaged.
    if (isDamage(error) && error.kind !== 'closed') return error
    throw error
  }
}
