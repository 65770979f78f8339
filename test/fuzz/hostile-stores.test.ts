/** What fuzzing has found: bytes under right checksums that nobody wrote. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getHeapStatistics } from 'node:v8'
import { Encoder } from '../../src/kernel/codec.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, SEQNO_MAX, fileName, seqno } from '../../src/kernel/ids.ts'
import { cutAfter, cutBefore } from '../../src/kernel/key-cut.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { makeLevels } from '../../src/engines/kv/levels.ts'
import { decodeOperation } from '../../src/engines/kv/operation-codec.ts'
import { encodeTableMeta } from '../../src/engines/kv/table-meta.ts'
import { FRAME_HEADER_BYTES } from '../../src/journal/frame.ts'
import { SEGMENT_HEADER_BYTES } from '../../src/journal/segment-header.ts'
import { visitGroup } from '../../src/shard/group-codec.ts'
import type { VersionFile } from '../../src/shard/shard.ts'
import { decodePacked, decodeStored } from '../../src/sst/block-codec.ts'
import { PART_BLOCK, fileIdentity, partSeed } from '../../src/sst/file-identity.ts'
import { decodeKeyColumnBlock } from '../../src/sst/key-column.ts'
import { KeyColumnReader } from '../../src/sst/key-column-reader.ts'
import { KeyColumnWriter } from '../../src/sst/key-column-writer.ts'
import { decodeRanges, encodeRanges } from '../../src/sst/row-ranges.ts'
import { batchesOf } from '../../src/testing/entry-model.ts'
import { deviceOf, imageOf } from '../corruption/image.ts'
import { JournalOnDisk, SHARD, texts, writeAll } from '../journal/journal-on-disk.ts'
import { resealed, segmentIdentityOf } from './journal-seals.ts'

const hash = await loadHash()
const place = { file: 'a table', part: 'ranges', offset: 0 } as const

/** A journal of one owner, with the header of its second frame changed, under right checksums. */
async function forgedFrame(at: number, value: bigint, width: 4 | 8): Promise<JournalOnDisk> {
  const journal = new JournalOnDisk()
  const writer = await journal.open(1)
  await writer.replay(POSITION_ZERO, () => undefined)
  await writeAll(writer, texts(6, 'batch'), 'synced')
  const [path = ''] = journal.segments()
  const image = new Map(imageOf(journal.device))
  const bytes = (image.get(path) as Uint8Array).slice()
  const view = new DataView(bytes.buffer)
  const second = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES + view.getUint32(SEGMENT_HEADER_BYTES + 8, true)
  if (width === 4) view.setUint32(second + at, Number(value), true)
  else view.setBigUint64(second + at, value, true)
  const identity = segmentIdentityOf(SHARD, path)
  journal.device = deviceOf(image.set(path, resealed(bytes, identity, identity, hash)))
  return journal
}

test('a frame that says it is longer than its file costs no memory for what is not there', async () => {
  const journal = await forgedFrame(8, 0x4000_0000n, 4)
  const before = getHeapStatistics()
  assert.ok((await journal.read()) instanceof VarveError)
  await assert.rejects(
    async () => {
      const writer = await journal.open(2)
      await writer.replay(POSITION_ZERO, () => undefined)
    },
    (error) => isCode(error, 'JOURNAL_CORRUPT'),
  )
  const after = getHeapStatistics()
  assert.ok(after.external_memory - before.external_memory < 16 * MIB)
})

test('a frame whose position no journal can have reached is damage, not a broken assertion', async () => {
  const journal = await forgedFrame(20, 2n ** 60n, 8)
  assert.ok((await journal.read()) instanceof VarveError)
  await assert.rejects(
    async () => {
      const writer = await journal.open(2)
      await writer.replay(POSITION_ZERO, () => undefined)
    },
    (error) => isCode(error, 'JOURNAL_CORRUPT'),
  )
})

test('a group whose seqnos would pass 2^53 is damage, not a broken assertion', () => {
  const group = new Encoder().u8(1).varint(SEQNO_MAX).varint(2)
  for (const key of ['a', 'b']) group.u8(2).text(key)
  assert.throws(
    () => visitGroup(group.finish(), POSITION_ZERO, decodeOperation, () => undefined),
    (error) => isCode(error, 'JOURNAL_CORRUPT'),
  )
})

test('a table on a level that no policy has is damage, and costs no memory for the levels before it', () => {
  const name = fileName('1-1-table')
  const [keyFirst, keyLast] = [Buffer.from('a'), Buffer.from('b')]
  const counts = { entryCount: 1, deleteCount: 0, rangeCount: 0, covers: [], samples: [] }
  const meta = encodeTableMeta({ keyFirst, keyLast, ...counts, lower: cutBefore(keyFirst), upper: cutAfter(keyLast) })
  const file: VersionFile = {
    ref: { name, bytes: 1000, checksum: '0'.repeat(16) },
    format: { name: 'row', version: 1 },
    group: 2 ** 31,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(1),
    meta,
    view: new Uint8Array(0),
  }
  assert.throws(
    () => makeLevels([file], undefined, BYTEWISE, () => undefined as never),
    (error) => isCode(error, 'HEAD_CORRUPT'),
  )
})

test('a compressed block that says it is larger than any that is compressed is not decompressed', () => {
  const stored = new Uint8Array(300_000)
  new DataView(stored.buffer).setUint32(0, 64 * MIB, true)
  assert.throws(
    () => decodeStored('lz4', stored, 64 * MIB, { ...place, part: 'block' }),
    (error) => isCode(error, 'TABLE_CORRUPT') && /over the limit/.test(error.message),
  )
  assert.throws(
    () => decodePacked('lz4', stored, 64 * MIB, { ...place, part: 'block' }),
    (error) => isCode(error, 'TABLE_CORRUPT') && /over the limit/.test(error.message),
  )
})

const LONG = 'k'.repeat(60_000)

test('range tombstones whose keys share everything are damage where they would fill memory, and are not written so', () => {
  const bomb = new Encoder().varint(4000)
  const cut = (shared: number, rest: string): void => void bomb.u8(1).varint(shared).text(rest)
  for (let index = 0; index < 4000; index++) {
    const number = String(index).padStart(4, '0')
    if (index === 0) cut(0, `${LONG}${number}`)
    else cut(LONG.length, number)
    cut(LONG.length + 4, 'x')
    bomb.varint(1).varint(1)
  }
  assert.throws(
    () => decodeRanges(bomb.finish(), BYTEWISE, place),
    (error) => isCode(error, 'TABLE_CORRUPT') && /share/.test(error.message),
  )
  const fragments = Array.from({ length: 100 }, (_, index) => ({
    lower: cutBefore(Buffer.from(`${LONG}${1000 + index}`)),
    upper: cutAfter(Buffer.from(`${LONG}${1000 + index}x`)),
    seqnos: [3],
  }))
  const found = decodeRanges(encodeRanges(fragments), BYTEWISE, place).fragments
  assert.equal(found.length, 100)
  assert.deepEqual(Buffer.from(found[99]?.upper.key ?? []), fragments[99]?.upper.key)
})

test('keys of a key column that share everything are damage where they would fill memory, and are not written so', async () => {
  const name = fileName('a-column')
  const count = 5000
  const bomb = new Encoder().varint(count)
  for (let index = 0; index < count; index++) bomb.u8(1)
  for (let index = 0; index < 2 * count; index++) bomb.varint(1)
  bomb.varint(0).text(LONG)
  for (let index = 1; index < count; index++) bomb.varint(LONG.length).text('')
  const bytes = bomb.finish()
  const identity = fileIdentity(hash, name)
  const checksum = hash.hash64(bytes, partSeed(identity, PART_BLOCK, 0))
  assert.throws(
    () =>
      decodeKeyColumnBlock(
        bytes,
        { offset: 0, length: bytes.length, entryCount: count, checksum },
        name,
        identity,
        hash,
      ),
    (error) => isCode(error, 'TABLE_CORRUPT') && /share/.test(error.message),
  )
  const files = new MemoryFileStore({ hash })
  const writer = new KeyColumnWriter(await files.create(name), hash)
  const entries = Array.from({ length: 100 }, (_, index) => ({
    key: new Uint8Array(Buffer.from(`${LONG}${1000 + index}`)),
    seqno: 1,
    kind: 1,
    value: new Uint8Array(1),
  }))
  for (const batch of batchesOf(entries, 10)) writer.append(batch, 0, batch.count)
  const reader = new KeyColumnReader(await files.open(await writer.finish()), hash)
  await reader.verify()
  let found = 0
  for await (const block of reader.blocks()) found += block.count
  assert.equal(found, 100)
})
