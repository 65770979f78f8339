import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import { uncompressSync } from 'lz4-napi'
import { BlockMemory } from './block-memory.ts'
import { RowBlockBuilder } from './row-block-builder.ts'
import { batchesOf, numberedEntries } from '../testing/entry-model.ts'
import { COMPRESSED_BLOCK_BYTES_MAX, decodePacked, decodeStored, encodeStored } from './block-codec.ts'
import { writeU32 } from './columns.ts'

const place = { file: 'table', part: 'block', offset: 0 } as const
const corrupt = (error: unknown): boolean => isCode(error, 'TABLE_CORRUPT')

/** As version 1 stored them: without a length in front where they are not compressed. */
function storedBefore(block: Uint8Array): Uint8Array {
  const stored = encodeStored('lz4', framed(block))
  return stored.length < block.length ? stored : block
}

function framed(packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + packed.length)
  writeU32(bytes, 0, packed.length)
  bytes.set(packed, 4)
  return bytes
}

test('what is encoded decodes to the same bytes, and is stored as it is where an eighth is not saved', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(40), (random, repeats) => {
      const block = new Uint8Array(random.length * (repeats + 1))
      for (let at = 0; at < block.length; at += random.length) block.set(random, at)
      const before = framed(block)
      const stored = encodeStored('lz4', before)
      if (stored !== before) assert.ok(stored.length <= before.length * 0.875)
      assert.deepEqual([...decodeStored('lz4', storedBefore(block), block.length, place)], [...block])
      assert.equal(encodeStored('none', before), before)
    }),
  )
  const huge = framed(new Uint8Array(COMPRESSED_BLOCK_BYTES_MAX + 1))
  assert.equal(encodeStored('lz4', huge), huge, 'decompressing it would hold the event loop')
})

test('lengths that contradict each other are found before anything is allocated for them', () => {
  const stored = storedBefore(new Uint8Array(1000))
  const lying = stored.slice()
  writeU32(lying, 0, 0x7fff_ffff)
  const before = process.memoryUsage().arrayBuffers
  assert.throws(() => decodeStored('lz4', lying, 1000, place), corrupt, 'length prefix differs from the index')
  assert.throws(() => decodeStored('lz4', lying, 0x7fff_ffff, place), corrupt, 'over the limit')
  assert.throws(
    () => decodeStored('lz4', lying, LIMITS.blockBytesMax, place),
    corrupt,
    'no LZ4 stream expands that much',
  )
  assert.throws(() => decodeStored('none', stored, 1000, place), /has another length than the index says/)
  assert.throws(() => decodeStored('lz4', stored.subarray(0, 3), 1000, place), corrupt, 'shorter than its prefix')
  assert.throws(() => decodePacked('lz4', lying, 0x7fff_ffff, place), corrupt, 'packed over the limit')
  assert.throws(() => decodePacked('lz4', stored, 999, place), corrupt, 'packed longer than its block')
  const plain = framed(new Uint8Array(10))
  for (const codec of ['none', 'lz4'] as const) {
    const message = 'memory is taken for what so few bytes cannot be'
    assert.throws(() => decodePacked(codec, plain, LIMITS.blockBytesMax, place), /impossible packed length/, message)
  }
  assert.throws(() => decodePacked('none', stored, 2000, place), corrupt, 'packed, not compressed, of another length')
  assert.throws(() => decodePacked('lz4', stored.subarray(0, 4), 2000, place), /shorter than its length/)
  const thin = stored.slice(0, 5)
  writeU32(thin, 0, 900_000)
  assert.throws(() => decodePacked('lz4', thin, LIMITS.blockBytesMax, place), corrupt, 'no stream expands that much')
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
})

test('a malformed stream is damage, not another error', () => {
  const stored = storedBefore(new TextEncoder().encode('some text that repeats, some text that repeats. '.repeat(20)))
  fc.assert(
    fc.property(fc.nat(stored.length - 5), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = stored.slice()
      damaged[at + 4] = (damaged[at + 4] as number) ^ change
      try {
        assert.equal(decodeStored('lz4', damaged, 960, place).length, 960)
      } catch (error) {
        assert.ok(corrupt(error))
      }
    }),
  )
})

test('a block that claims to be over the limit is refused before it is decompressed', () => {
  // Long enough that no impossible ratio gives it away.
  const stored = new Uint8Array(2 * 1024 * 1024)
  writeU32(stored, 0, LIMITS.blockBytesMax + 1)
  assert.throws(
    () => decodeStored('lz4', stored, LIMITS.blockBytesMax + 1, place),
    (error) => isCode(error, 'TABLE_CORRUPT') && /over the limit/.test(error.message),
  )
})

/** As the addon is one: it writes where it is told to, or says that it cannot. */
const lz4: Lz4 = {
  encode: () => assert.fail('decoding encodes nothing'),
  decode: (source, start, into) => {
    const stored = source.slice(start - 4)
    writeU32(stored, 0, into.length)
    try {
      const decoded = uncompressSync(stored)
      into.set(decoded.subarray(0, into.length))
      return decoded.length === into.length
    } catch {
      return false
    }
  },
  decodeRowBlock: () => false,
}

/** A packed block that is worth compressing, and how long it is unpacked. */
function packedBlock(): { readonly packed: Uint8Array; readonly blockBytes: number } {
  const builder = new RowBlockBuilder()
  const entries = numberedEntries('key', 100, 40).map((entry) => ({ ...entry, value: new Uint8Array(40).fill(7) }))
  for (const batch of batchesOf(entries, 100)) {
    for (let index = 0; index < batch.count; index++)
      builder.note(batch.keyAt(index).length, batch.valueLengths[index] as number, batch.seqnos[index] as number, 0)
    builder.take(batch, 0, batch.count)
  }
  return { packed: builder.finish().slice(), blockBytes: builder.blockBytes }
}

test('a block is the same whoever decodes it and wherever it is kept', () => {
  const { packed, blockBytes } = packedBlock()
  const stored = encodeStored('lz4', packed)
  assert.notEqual(stored, packed)
  const block = decodePacked('lz4', stored, blockBytes, place)
  const before = storedBefore(block)
  assert.notEqual(before, block)
  for (const keep of [undefined, { memory: new BlockMemory(), lz4: undefined }, { memory: new BlockMemory(), lz4 }]) {
    for (const each of [stored, packed]) assert.deepEqual(decodePacked('lz4', each, blockBytes, place, keep), block)
    for (const each of [before, block]) {
      const decoded = decodeStored('lz4', each, blockBytes, place, keep)
      assert.deepEqual(Buffer.compare(decoded, block), 0)
      assert.equal(decoded === block, keep === undefined && each === block, 'kept memory is its own')
    }
  }
})

test('a stream that ends early, or that no decoder takes, is damage whoever decodes it', () => {
  const { packed, blockBytes } = packedBlock()
  const stored = encodeStored('lz4', packed)
  const block = decodePacked('lz4', stored, blockBytes, place)
  const before = storedBefore(block)
  for (const keep of [undefined, { memory: new BlockMemory(), lz4 }]) {
    const message = keep === undefined ? /LZ4 block ends early/ : /malformed LZ4 block/
    const longer = (bytes: Uint8Array, length: number): Uint8Array => {
      const lying = bytes.slice()
      writeU32(lying, 0, length)
      return lying
    }
    const packedLonger = longer(stored, packed.length - 4 + 1)
    assert.throws(() => decodePacked('lz4', packedLonger, blockBytes, place, keep), { code: 'TABLE_CORRUPT', message })
    const blockLonger = longer(before, blockBytes + 1)
    assert.throws(() => decodeStored('lz4', blockLonger, blockBytes + 1, place, keep), {
      code: 'TABLE_CORRUPT',
      message,
    })
    for (const bytes of [stored, before]) {
      const torn = bytes.subarray(0, bytes.length - 10)
      const decode = bytes === stored ? decodePacked : decodeStored
      assert.throws(() => decode('lz4', torn, blockBytes, place, keep), corrupt)
    }
  }
})

test('what is packed says how long it is: no stream is shorter than what it makes, or makes more than it can', () => {
  const lying = (length: number, storedLength: number): Uint8Array => {
    const stored = new Uint8Array(4 + storedLength)
    writeU32(stored, 0, length)
    return stored
  }
  assert.throws(() => decodePacked('none', lying(100, 99), 200, place), /has another length than it says/)
  assert.throws(() => decodePacked('lz4', lying(100, 101), 200, place), /impossible compressed length/)
  assert.throws(() => decodePacked('lz4', lying(256, 1), 300, place), /impossible compression ratio/)
  assert.throws(() => decodeStored('lz4', lying(256, 1), 256, place), /impossible compression ratio/)
})
