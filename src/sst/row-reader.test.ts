import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BYTEWISE } from '../kernel/key-order.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_PUT } from '../kernel/entry.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'
import { RowTableReader } from './row-reader.ts'

test('a block counts as used from its second reading on: the first is why it was loaded', async () => {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash })
  const options = { order: BYTEWISE, hash }
  const key = Uint8Array.of(0x61)
  const batch = new EntryBatch()
  batch.keys.set(key, batch.reserveKey(key.length))
  batch.push(key.length, 1, ENTRY_PUT, batch.block(Uint8Array.of(1)), 0, 1)
  const writer = rowTableFormat.writer(await files.create(fileName('a.table')), { ...options, settings: {} })
  writer.append(batch, 0, batch.count)
  const { ref } = await writer.finish()
  const reader = rowTableFormat.reader(await files.open(ref), { ...options, cache: new BlockCache() })
  assert.ok(reader instanceof RowTableReader)
  const fetch = new BlockFetch()
  const read = (): void => {
    while (reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, emptyFound(), fetch) !== true) fetch.fillSync()
    fetch.clear()
  }
  read()
  assert.equal(reader.blocks.cached(0, false)?.touched, false)
  read()
  assert.equal(reader.blocks.cached(0, false)?.touched, true)
  await reader.close()
})
