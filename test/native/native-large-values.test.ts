/** Values of their own block, which the addon reads to where the caller gets them: whole, his alone, and checked. */

import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { open } from '../../src/local.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { place, testWithAddon } from './addon-test.ts'

const LENGTHS = [13, 16, 20, 33, 70, 300, 1100].map((kib) => kib * KIB)
// None of them is kept.
const settings = { cacheBytes: 1 * KIB, tableBytes: 64 * MIB }

const keyOf = (index: number): Buffer => Buffer.from(`key${index}`)

/** Every other one compresses. */
function values(): readonly Buffer[] {
  return LENGTHS.map((length, index) => {
    const value = Buffer.alloc(length)
    randomFillSync(value, 0, index % 2 === 0 ? length : length >>> 2)
    return value
  })
}

async function filled(directory: string, all: readonly Buffer[]): Promise<void> {
  await using db = await open(directory, { settings, jobs: 'inline' })
  for (const [index, value] of all.entries()) await db.put(keyOf(index), value)
  await db.flush()
  await db.compactRange()
}

/** All entries, each spoilt in every way as soon as it has been compared. */
async function scanAndSpoil(db: KvShard, all: readonly Buffer[], reverse: boolean): Promise<void> {
  const scan = db.scan({ reverse })
  let at = 0
  for (;;) {
    const entries = at % 2 === 0 ? scan.nextSync(1) : await scan.next(1)
    const [entry] = entries
    if (entry === undefined) break
    const index = reverse ? all.length - 1 - at : at
    assert.deepEqual(Buffer.from(entry.key), keyOf(index))
    assert.ok((all[index] as Buffer).equals(entry.value), `value ${index} of a scan`)
    spoil(entry.value, at)
    at++
  }
  assert.equal(at, all.length)
}

function spoil(value: Uint8Array, round: number): void {
  value.fill(0x5a)
  if (round % 2 === 0 && value.byteLength > 64 * KIB)
    structuredClone(value.buffer, { transfer: [value.buffer as ArrayBuffer] })
}

testWithAddon('whoever gets a large value may do with it what he likes: nobody else sees it', {}, async (context) => {
  const { directory } = await place(context)
  const all = values()
  await filled(directory, all)
  await using db = await open(directory, { settings, jobs: 'inline' })
  for (let round = 0; round < 3; round++) {
    for (const [index, value] of all.entries()) {
      const key = keyOf(index)
      const twice = await db.getMany([key, key])
      const each = [db.getSync(key), await db.get(key), ...twice] as Uint8Array[]
      for (const found of each) {
        assert.ok(value.equals(found), `value ${index}`)
        spoil(found, round)
      }
      assert.equal(db.hasSync(key), true)
    }
    await scanAndSpoil(db, all, round % 2 === 1)
  }
})

testWithAddon(
  'a scan keeps large blocks that it comes to a second time, while the cache has room',
  {},
  async (context) => {
    const { directory } = await place(context)
    const all = values()
    await filled(directory, all)
    for (const [cacheBytes, kept] of [
      [16 * MIB, all.length],
      [1 * KIB, 0],
    ] as const) {
      await using db = await open(directory, { settings: { ...settings, cacheBytes }, jobs: 'inline' })
      for (const blockCount of [0, kept, kept]) {
        await scanAndSpoil(db, all, false)
        assert.equal(db.statistics().cache.blockCount, blockCount)
      }
    }
  },
)

testWithAddon('damage to a large value is told, wherever it is', {}, async (context) => {
  const { directory } = await place(context)
  const all = values()
  await filled(directory, all)
  const folder = path.join(directory, 'files')
  const tables = fs.readdirSync(folder).map((name) => path.join(folder, name))
  const table = tables.reduce((a, b) => (fs.statSync(a).size >= fs.statSync(b).size ? a : b))
  const bytes = fs.readFileSync(table)
  // The first block is of random bytes: stored as it is, 4 bytes of length in front, which may be made to say otherwise.
  for (const at of [0, 2, 5, 4000, 9 * KIB]) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] as number) ^ 0x10
    fs.writeFileSync(table, damaged)
    const db = await open(directory, { settings, readOnly: true })
    try {
      const isDamage = (error: unknown): boolean => isCode(error, 'TABLE_CORRUPT')
      assert.throws(() => db.getSync(keyOf(0)), isDamage)
      await assert.rejects(db.get(keyOf(0)), isDamage)
      await assert.rejects(db.scan().next(10), isDamage)
      assert.ok((all[2] as Buffer).equals(db.getSync(keyOf(2)) as Uint8Array), 'others are read')
    } finally {
      await db.close()
    }
  }
})
