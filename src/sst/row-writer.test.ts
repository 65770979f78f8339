import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BYTEWISE } from '../kernel/key-order.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_PUT } from '../kernel/entry.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import { KIB } from '../kernel/limits.ts'
import { BlockCache } from './block-cache.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { rowTableFormat } from './row-format.ts'

/** Bytes that do not compress: a xorshift generator. */
function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = seed + 1
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer)
}

test('large blocks that do not compress are whole, whatever blocks are finished before they are written', async () => {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash })
  const sizes = [100, 300, 1, 700, 256, 5000, 300, 2000, 257, 4096, 30].map((size) => size * KIB)
  for (const codec of ['none', 'lz4']) {
    const batch = new EntryBatch()
    for (const [index, size] of sizes.entries()) {
      const at = batch.reserveKey(2)
      batch.keys.set([0x61, 0x61 + index], at)
      batch.push(2, index + 1, ENTRY_PUT, batch.block(noise(size, index)), 0, size)
    }
    const options = { order: BYTEWISE, hash }
    const writer = rowTableFormat.writer(await files.create(fileName(`${codec}.table`)), {
      ...options,
      settings: { codec },
    })
    // All of them before the first is handed to the file.
    writer.append(batch, 0, batch.count)
    const { ref } = await writer.finish()
    const reader = rowTableFormat.reader(await files.open(ref), { ...options, cache: new BlockCache() })
    await reader.verify('structure')
    await reader.close()
    assert.ok(ref.bytes > sizes.reduce((sum, size) => sum + size, 0))
  }
})
