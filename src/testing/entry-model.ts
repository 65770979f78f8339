/** The naive sorted list that table formats and cursors are compared with. */

import { copyOf } from '../kernel/bytes.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../kernel/entry.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper } from '../kernel/key-range.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface ModelEntry {
  readonly key: Uint8Array
  readonly seqno: number
  readonly kind: number
  readonly value: Uint8Array
}

/** In the order of a table: ascending keys, within a key newest first; one of each (key, seqno). */
export function sortEntries(entries: readonly ModelEntry[], order: KeyOrder): readonly ModelEntry[] {
  const compare = (a: ModelEntry, b: ModelEntry): number => compareKeys(order, a.key, b.key) || b.seqno - a.seqno
  const sorted = entries.toSorted(compare)
  return sorted.filter((entry, index) => index === 0 || compare(sorted[index - 1] as ModelEntry, entry) !== 0)
}

/** What a lookup finds. */
export function newestAt(
  entries: readonly ModelEntry[],
  order: KeyOrder,
  key: Uint8Array,
  seqno: number,
): ModelEntry | undefined {
  return entries.find((entry) => entry.seqno <= seqno && compareKeys(order, entry.key, key) === 0)
}

/** What a cursor yields. */
export function scanOf(entries: readonly ModelEntry[], order: KeyOrder, options: CursorOptions): readonly ModelEntry[] {
  const { range, reverse, seqno, versions } = options
  const visible = entries.filter(
    (entry) =>
      entry.seqno <= seqno &&
      isAtOrAfterLower(range, order, entry.key, 0, entry.key.length) &&
      isAtOrBeforeUpper(range, order, entry.key, 0, entry.key.length),
  )
  const chosen = visible.filter(
    (entry, index) =>
      versions === 'all' || index === 0 || compareKeys(order, (visible[index - 1] as ModelEntry).key, entry.key) !== 0,
  )
  return reverse ? chosen.toReversed() : chosen
}

/** One line per entry, for comparing and for reading. */
export function describe(entry: ModelEntry): string {
  return `${hex(entry.key)}@${entry.seqno} ${entry.kind} ${hex(entry.value)}`
}

/** Everything a cursor yields, filling it as it asks, in batches of `capacity`. Closes it. */
export async function drainCursor(cursor: Cursor, capacity = 64): Promise<readonly ModelEntry[]> {
  const batch = new EntryBatch(capacity)
  const entries: ModelEntry[] = []
  try {
    for (;;) {
      const count = cursor.next(batch)
      if (count === PENDING) await cursor.fill()
      else if (count === 0) return entries
      else for (let index = 0; index < count; index++) entries.push(entryAt(batch, index))
    }
  } finally {
    cursor.close()
  }
}

/** A copy of entry `index`. */
export function entryAt(batch: EntryBatch, index: number): ModelEntry {
  return {
    key: batch.keyAt(index),
    seqno: batch.seqnos[index] as number,
    kind: batch.kinds[index] as number,
    value: batch.valueAt(index),
  }
}

/** Batches of `capacity` with `entries`, in order. */
export function batchesOf(entries: readonly ModelEntry[], capacity: number): readonly EntryBatch[] {
  const batches: EntryBatch[] = []
  for (const entry of entries) {
    let batch = batches.at(-1)
    if (batch === undefined || batch.full) batches.push((batch = new EntryBatch(capacity)))
    const start = batch.reserveKey(entry.key.length)
    batch.keys.set(entry.key, start)
    // Values lie inside something larger, as those of a real source do.
    const block = new Uint8Array(entry.value.length + 3)
    block.set(entry.value, 2)
    batch.push(entry.key.length, entry.seqno, entry.kind, batch.block(block), 2, entry.value.length)
  }
  return batches
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

/** Keys with shared prefixes, prefixes of one another, zeros and 0xff; several versions of some; some deleted. */
export function randomEntries(random: SeededRandom, count: number): readonly ModelEntry[] {
  const entries: ModelEntry[] = []
  for (let index = 0; index < count; index++) {
    const before = entries.at(-1 - random.below(4))
    const key = before === undefined || random.once(3) ? randomKey(random) : variantOf(random, before.key)
    const isDelete = random.once(6)
    const value = isDelete ? new Uint8Array(0) : randomValue(random)
    entries.push({ key, seqno: 1 + random.below(count * 2), kind: isDelete ? ENTRY_DELETE : ENTRY_PUT, value })
  }
  return entries
}

function randomKey(random: SeededRandom): Uint8Array {
  const alphabet = [0, 1, 0x61, 0x62, 0xfe, 0xff]
  const prefix = 'prefix'.repeat(random.below(3))
  const tail = Array.from({ length: random.below(8) }, () => alphabet[random.below(alphabet.length)] as number)
  return Uint8Array.from([...new TextEncoder().encode(prefix), ...tail])
}

function variantOf(random: SeededRandom, key: Uint8Array): Uint8Array {
  switch (random.below(3)) {
    case 0:
      return key
    case 1:
      return copyOf(key, 0, random.below(key.length + 1))
    default:
      return Uint8Array.from([...key, random.once(2) ? 0 : random.below(256)])
  }
}

function randomValue(random: SeededRandom): Uint8Array {
  const value = new Uint8Array(random.once(10) ? random.below(700) : random.below(40))
  value.fill(random.below(256))
  for (let index = 0; index < value.length; index += 2) value[index] = random.below(256)
  return value
}

function compareKeys(order: KeyOrder, a: Uint8Array, b: Uint8Array): number {
  return order.compare(a, 0, a.length, b, 0, b.length)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
