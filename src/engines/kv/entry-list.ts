/** Some entries of a cursor, copied: for who compares a few. */

import { equalBytes } from '../../kernel/bytes.ts'
import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import { cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'

/** One version of one key. */
export interface ListedEntry {
  readonly key: Uint8Array
  readonly seqno: number
  /** An `EntryKind`. */
  readonly kind: number
  readonly value: Uint8Array
}

/** Which entries are listed, and how far it goes. */
export interface ListOptions {
  /** Asked of each in order. Default: all are. */
  readonly keeps?: (batch: EntryBatch, index: number) => boolean
  /** It ends in front of the next key once so many have been read. Default: it does not. */
  readonly entriesMax?: number
  /** The same for bytes of keys and values. */
  readonly bytesMax?: number
}

/** Closes the cursor. `end`: in front of the first key that was not read; undefined: there is none. */
export async function listEntries(
  cursor: Cursor,
  { keeps = (): boolean => true, entriesMax = Infinity, bytesMax = Infinity }: ListOptions = {},
): Promise<{ readonly entries: readonly ListedEntry[]; readonly end: KeyCut | undefined }> {
  const batch = new EntryBatch()
  const entries: ListedEntry[] = []
  let [count, bytes] = [0, 0]
  let last: Uint8Array | undefined
  try {
    for (;;) {
      const filled = cursor.next(batch)
      if (filled === PENDING) {
        await cursor.fill()
        continue
      }
      if (filled === 0) return { entries, end: undefined }
      for (let index = 0; index < filled; index++) {
        const key = batch.keyAt(index)
        if ((count >= entriesMax || bytes >= bytesMax) && last !== undefined && !equalBytes(key, last))
          return { entries, end: cutBefore(key) }
        last = key
        count++
        bytes += key.length + (batch.valueLengths[index] as number)
        if (!keeps(batch, index)) continue
        const [seqno, kind] = [batch.seqnos[index] as number, batch.kinds[index] as number]
        entries.push({ key, seqno, kind, value: batch.valueAt(index) })
      }
    }
  } finally {
    cursor.close()
  }
}

export function equalEntries(a: readonly ListedEntry[], b: readonly ListedEntry[]): boolean {
  return a.length === b.length && a.every((entry, index) => isSame(entry, b[index] as ListedEntry))
}

function isSame(a: ListedEntry, b: ListedEntry): boolean {
  return a.seqno === b.seqno && a.kind === b.kind && equalBytes(a.key, b.key) && equalBytes(a.value, b.value)
}
