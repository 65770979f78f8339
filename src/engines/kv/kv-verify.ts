/** Verifying a shard: every byte of every table, each by itself, so that one that is damaged hides no other. */

import { PENDING } from '../../kernel/cursor.ts'
import { throwIfAborted, VarveError } from '../../kernel/errors.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { Shard } from '../../shard/shard.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import type { TableReader } from '../../sst/sst.ts'
import type { VerifyOptions } from './kv.ts'
import type { KvTable, Levels } from './levels.ts'

export interface TableVerification {
  readonly table: KvTable
  /** TABLE_CORRUPT, FILE_MISSING, IO_FAILED and the like; undefined: the table is whole. */
  readonly damage: VarveError | undefined
}

/** Verifies the tables of the current view, which stays pinned meanwhile; level 0 first. */
export async function* verifyTables(
  shard: Shard<OrderedOperation, OrderedMemtable, Levels>,
  { level = 'structure', signal }: VerifyOptions,
): AsyncGenerator<TableVerification, void, undefined> {
  const view = shard.pin()
  try {
    for (const table of view.version.shape.levels.flat()) {
      throwIfAborted(signal)
      yield { table, damage: await damageOf(table, level, signal) }
    }
  } finally {
    shard.unpin(view)
  }
}

async function damageOf(
  { handle }: KvTable,
  level: 'bytes' | 'structure',
  signal: AbortSignal | undefined,
): Promise<VarveError | undefined> {
  // Holds the reader, so that it is not closed to make room for another.
  const fetch = new BlockFetch()
  try {
    let reader: TableReader | typeof PENDING
    while ((reader = handle.reader(fetch)) === PENDING) await fetch.fill(signal)
    await reader.verify(level, signal)
    return undefined
  } catch (error) {
    throwIfAborted(signal)
    if (error instanceof VarveError && error.kind !== 'closed') return error
    throw error
  } finally {
    fetch.clear()
  }
}
