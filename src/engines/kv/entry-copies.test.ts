import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { CopyOut } from './copy-out.ts'
import { EntryCopies } from './entry-copies.ts'
import type { KvEntry } from './kv.ts'

const BLOCK_BYTES = 20_000

/** One entry: how its value lies to the one before, how long it is, and its key. */
const PLACED = fc.record({
  place: fc.oneof(
    { weight: 5, arbitrary: fc.constant('after' as const) },
    { weight: 3, arbitrary: fc.constant('before' as const) },
    fc.constantFrom('apart' as const, 'another block' as const),
  ),
  length: fc.oneof({ weight: 9, arbitrary: fc.integer({ max: 300, min: 0 }) }, fc.constantFrom(2100, 5000)),
  keyLength: fc.oneof({ weight: 9, arbitrary: fc.integer({ max: 40, min: 0 }) }, fc.constant(3000)),
  deleted: fc.boolean(),
})

function block(seed: number, shared: boolean): Uint8Array {
  const bytes = new Uint8Array(shared ? new SharedArrayBuffer(BLOCK_BYTES) : new ArrayBuffer(BLOCK_BYTES))
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 7 + (at >>> 8) * 13 + seed) & 0xff
  return bytes
}

/** The entries a batch has from `first` on, one by one. */
function expected(batch: EntryBatch, first: number, count: number, bytesWanted: number): KvEntry[] {
  const entries: KvEntry[] = []
  let bytes = 0
  for (let index = first; index < batch.count && entries.length < count && bytes < bytesWanted; index++) {
    if (batch.kinds[index] !== ENTRY_PUT) continue
    const entry = { key: batch.keyAt(index), value: batch.valueAt(index) }
    entries.push(entry)
    bytes += entry.key.length + entry.value.length
  }
  return entries
}

test('copies of entries, however their values lie, are those of one by one, and outlive the batch', () => {
  const wanted = { keys: true, values: true }
  fc.assert(
    fc.property(
      fc.array(PLACED, { minLength: 1, maxLength: 80 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 50 }),
      fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 6000 })),
      (placed, shared, count, bytesWanted) => {
        const blocks = [block(1, shared), block(2, shared)]
        const batch = new EntryBatch()
        let [number, start, end] = [0, 9000, 9000]
        for (const { place, length, keyLength, deleted } of placed) {
          if (place === 'another block') number = 1 - number
          start = place === 'before' ? start - length : place === 'apart' ? end + 3 : end
          if (start < 0 || start + length > BLOCK_BYTES) start = 9000
          end = start + length
          const at = batch.reserveKey(keyLength)
          for (let byte = 0; byte < keyLength; byte++) batch.keys[at + byte] = (batch.count * 31 + byte) & 0xff
          const kind = deleted && length % 3 === 0 ? ENTRY_DELETE : ENTRY_PUT
          batch.push(keyLength, 1, kind, batch.block(blocks[number] as Uint8Array), start, length)
        }
        const copies = new EntryCopies(new CopyOut())
        const seen: KvEntry[] = []
        const all: KvEntry[] = []
        for (let index = 0; index < batch.count;) {
          const entries: KvEntry[] = []
          const due = expected(batch, index, count, bytesWanted)
          index = copies.take(batch, index, entries, count, bytesWanted, wanted)
          assert.equal(entries.length, due.length)
          const bytes = due.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
          assert.equal(copies.bytes, bytes)
          all.push(...due)
          seen.push(...entries)
        }
        batch.keys.fill(0)
        for (const each of blocks) each.fill(0)
        for (const [index, { key, value }] of seen.entries()) {
          assert.ok(Buffer.isBuffer(key) && Buffer.isBuffer(value))
          assert.ok(key.equals((all[index] as KvEntry).key) && value.equals((all[index] as KvEntry).value))
        }
      },
    ),
    { numRuns: 150, seed: 20 },
  )
})

test('what is not wanted of an entry is empty, and a value that nobody else has is given away as it lies', () => {
  const batch = new EntryBatch()
  const own = block(3, false)
  for (const start of [0, 100]) {
    batch.keys.fill(1, batch.reserveKey(4), batch.reserveKey(4) + 4)
    batch.push(4, 1, ENTRY_PUT, batch.block(own, true), start, 100)
  }
  const copies = new EntryCopies(new CopyOut())
  const took = (keys: boolean, values: boolean): KvEntry[] => {
    const entries: KvEntry[] = []
    assert.equal(copies.take(batch, 0, entries, 2, Infinity, { keys, values }), 2)
    return entries
  }
  const lengths = (entries: KvEntry[]): number[][] => entries.map(({ key, value }) => [key.length, value.length])
  assert.deepEqual(lengths(took(true, false)), [
    [4, 0],
    [4, 0],
  ])
  assert.deepEqual(lengths(took(false, true)), [
    [0, 100],
    [0, 100],
  ])
  assert.deepEqual(
    took(true, true).map(({ value }) => value.buffer === own.buffer),
    [true, true],
  )
})
