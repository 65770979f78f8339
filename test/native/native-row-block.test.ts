/** Blocks that the addon checks, decompresses and unpacks in one call, against JavaScript: the same bytes, or refused. */

import assert from 'node:assert/strict'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { NativeLz4 } from '../../src/native/native-lz4.ts'
import { BlockMemory } from '../../src/sst/block-memory.ts'
import { decodePacked, encodeStored } from '../../src/sst/block-codec.ts'
import { RowBlockBuilder } from '../../src/sst/row-block-builder.ts'
import { batchesOf, numberedEntries, randomEntries, sortEntries } from '../../src/testing/entry-model.ts'
import type { ModelEntry } from '../../src/testing/entry-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, testWithAddon } from './addon-test.ts'

const place = { file: 'table', part: 'block', offset: 0 } as const
const SEED = 0xfedc_ba98_7654_3210n
const GUARD_BYTES = 32
const GUARD = 0xa5

interface Stored {
  readonly stored: Uint8Array
  readonly blockBytes: number
}

function build(entries: readonly ModelEntry[]): Stored {
  const builder = new RowBlockBuilder()
  for (const batch of batchesOf(entries, entries.length)) {
    for (let index = 0; index < batch.count; index++) {
      const kind = batch.kinds[index] as number
      builder.note(batch.keyAt(index).length, batch.valueLengths[index] as number, batch.seqnos[index] as number, kind)
    }
    builder.take(batch, 0, batch.count)
  }
  return { stored: builder.finish().slice(), blockBytes: builder.blockBytes }
}

function blocks(random: SeededRandom, count: number): readonly Stored[] {
  return Array.from({ length: count }, (_, round) => {
    const size = 1 + (random.u32() % 80)
    const valueBytes = round % 5 === 0 ? 3000 : random.u32() % 100
    const entries =
      round % 2 === 0
        ? randomEntries(random, size)
        : numberedEntries('key', size, valueBytes).map((entry, index) => ({
            ...entry,
            seqno: round % 4 === 1 ? 7 : 1 + ((index * 7919) % (round % 3 === 0 ? 5_000_000 : 500)),
            value: new Uint8Array(valueBytes - (round % 3 === 0 ? index % 3 : 0)).map((_byte, at) => at * round),
          }))
    const { stored, blockBytes } = build(sortEntries(entries, BYTEWISE))
    return { stored: round % 3 === 0 ? stored : new Uint8Array(encodeStored('lz4', stored)), blockBytes }
  })
}

/** What the addon makes of it between two guards; undefined where it refuses. */
function decode(hash: Hash, { stored, blockBytes }: Stored, inPlace: boolean): Uint8Array | undefined {
  const memory = new Uint8Array(blockBytes + 2 * GUARD_BYTES).fill(GUARD)
  const block = memory.subarray(GUARD_BYTES, GUARD_BYTES + blockBytes)
  const checksum = hash.hash64(stored, SEED)
  const source = inPlace ? block.subarray(blockBytes - stored.length) : stored
  if (inPlace) source.set(stored)
  const done = new NativeLz4(addon()).decodeRowBlock(source, SEED, checksum, block)
  const guards = [memory.subarray(0, GUARD_BYTES), memory.subarray(GUARD_BYTES + blockBytes)]
  assert.ok(
    guards.every((guard) => guard.every((byte) => byte === GUARD)),
    'it wrote outside',
  )
  return done ? block : undefined
}

function isPlain({ stored }: Stored): boolean {
  return new DataView(stored.buffer, stored.byteOffset).getUint32(0, true) === stored.length - 4
}

testWithAddon(
  'the addon makes the same block of what is stored as JavaScript, or leaves it to JavaScript',
  {},
  async () => {
    const hash = await loadHash()
    let done = 0
    const all = blocks(new SeededRandom(11), 400)
    for (const each of all) {
      const expected = decodePacked('lz4', each.stored, each.blockBytes, place)
      for (const inPlace of isPlain(each) ? [false, true] : [false]) {
        const block = decode(hash, each, inPlace)
        if (block !== undefined) assert.ok(Buffer.compare(block, expected) === 0)
        if (block !== undefined && !inPlace) done++
      }
      const into = new Uint8Array(each.blockBytes)
      const source = into.subarray(each.blockBytes - each.stored.length)
      if (!isPlain(each)) continue
      source.set(each.stored)
      const keep = { memory: new BlockMemory(), lz4: undefined }
      assert.equal(decodePacked('lz4', source, each.blockBytes, place, keep, into), into)
      assert.ok(Buffer.compare(into, expected) === 0, 'JavaScript unpacks in place as well')
    }
    assert.ok(done > all.length * 0.7, `the addon decoded only ${done} of ${all.length}`)
  },
)

testWithAddon(
  'a block whose checksum, length or content is damaged is refused, and nothing outside is written',
  {},
  async () => {
    const hash = await loadHash()
    const random = new SeededRandom(12)
    const lz4 = new NativeLz4(addon())
    let refused = 0
    for (const { stored, blockBytes } of blocks(random, 300)) {
      const right = hash.hash64(stored, SEED)
      assert.ok(!lz4.decodeRowBlock(stored, SEED, right ^ 1n, new Uint8Array(blockBytes)), 'another checksum')
      assert.ok(!lz4.decodeRowBlock(stored, SEED + 8n, right, new Uint8Array(blockBytes)), 'from another place')
      for (let round = 0; round < 8; round++) {
        // The checksum is made anew: what is behind it must not rely on it.
        const damaged = stored.slice(0, round === 0 ? 1 + (random.u32() % stored.length) : stored.length)
        for (let flips = 1 + (random.u32() % 3); flips > 0; flips--) {
          const at = random.u32() % (round % 2 === 0 ? damaged.length : Math.min(damaged.length, 24))
          damaged[at] = (damaged[at] as number) ^ (1 << (random.u32() % 8))
        }
        const block = decode(hash, { stored: damaged, blockBytes }, false)
        if (block === undefined) refused++
        else assert.ok(Buffer.compare(block, decodedOr(damaged, blockBytes)) === 0, 'JavaScript says otherwise')
      }
    }
    assert.ok(refused > 600, `only ${refused} were refused`)
  },
)

function decodedOr(stored: Uint8Array, blockBytes: number): Uint8Array {
  try {
    return decodePacked('lz4', stored, blockBytes, place)
  } catch (error) {
    if (isCode(error, 'TABLE_CORRUPT')) return new Uint8Array(0)
    throw error
  }
}
