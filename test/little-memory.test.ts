import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { KV_DEFAULTS } from '../src/engines/kv/settings.ts'
import { MIB } from '../src/kernel/limits.ts'
import { open } from '../src/local.ts'
import type { LocalOpenOptions } from '../src/local.ts'
import { memorySettings } from '../src/local-memory.ts'
import { SHARD_DEFAULTS } from '../src/shard/settings.ts'

test('defaults are what they are from 2 GiB on, and less where there is less', () => {
  const { cacheBytes } = KV_DEFAULTS
  const { memtableBytes } = SHARD_DEFAULTS
  for (const limit of [2048 * MIB, 24_105 * MIB, 2 ** 64]) {
    assert.deepEqual(memorySettings(limit), { cacheBytes, memtableBytes }, `${limit} bytes`)
  }
  assert.deepEqual(memorySettings(488 * MIB), { cacheBytes: 61 * MIB, memtableBytes: 15 * MIB })
  assert.deepEqual(memorySettings(16 * MIB), { cacheBytes: 2 * MIB, memtableBytes: 1 * MIB })
})

/** Flushes while 24 MiB were written in a process that may take `limit` bytes. */
async function flushesOf(limit: number, options: LocalOpenOptions): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-memory-'))
  const limited = mock.method(process, 'constrainedMemory', () => limit)
  try {
    const db = await open(directory, options)
    const value = Buffer.alloc(64 * 1024, 'v')
    for (let at = 0; at < 384; at++) await db.put(Buffer.from(String(at)), value)
    await db.settle()
    const { flushes } = db.statistics()
    await db.close()
    return flushes
  } finally {
    limited.mock.restore()
    rmSync(directory, { recursive: true, force: true })
  }
}

test('a database in a small container has small memtables, unless it was told how large they are', async () => {
  assert.ok((await flushesOf(128 * MIB, {})) >= 1)
  assert.equal(await flushesOf(0, {}), 0, 'nobody knows of a limit')
  const settings = { memtableBytes: 32 * MIB, cacheBytes: undefined as unknown as number }
  assert.equal(await flushesOf(128 * MIB, { settings }), 0, 'told')
})
