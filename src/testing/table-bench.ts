/** Short ways to write and read tables, for tests. */

import type { Hash } from '../kernel/hash.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { FileStore } from '../fs/fs.ts'
import type { TableFormat, TableSummary } from '../sst/sst.ts'
import { batchesOf } from './entry-model.ts'
import type { ModelEntry } from './entry-model.ts'

export interface TablePlan {
  readonly name: string
  readonly entries: readonly ModelEntry[]
  readonly settings?: Readonly<Record<string, unknown>>
  readonly order?: KeyOrder
}

/** Writes one table of sorted entries. */
export async function writeTable(
  files: FileStore,
  format: TableFormat,
  hash: Hash,
  plan: TablePlan,
): Promise<TableSummary> {
  const sink = await files.create(fileName(plan.name))
  const writer = format.writer(sink, { order: plan.order ?? BYTEWISE, hash, settings: plan.settings ?? {} })
  for (const batch of batchesOf(plan.entries, 50)) writer.append(batch, 0, batch.count)
  return await writer.finish()
}

/** The whole content of a file. */
export async function contentOf(files: FileStore, ref: FileRef): Promise<Uint8Array> {
  const file = await files.open(ref)
  const content = await file.read(0, ref.bytes)
  await file.close()
  return content
}

/** `count` entries with ascending keys `prefix000000…`, one version each. */
export function numberedEntries(prefix: string, count: number, valueBytes: number): readonly ModelEntry[] {
  return Array.from({ length: count }, (_, number) => ({
    key: new TextEncoder().encode(prefix + String(number).padStart(6, '0')),
    seqno: number + 1,
    kind: 1,
    value: new Uint8Array(valueBytes).map((_byte, index) => number * 31 + index * index),
  }))
}
