import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PENDING } from '../kernel/cursor.ts'
import { loadHash } from '../kernel/hash.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { FRAME_BATCH, FRAME_BATCHES, FRAME_HEADER_BYTES, FRAME_MARK, bodyCheck, writeFrameHeader } from './frame.ts'
import { FrameCursor } from './frame-cursor.ts'
import { PendingFrame, StagingPool } from './pending-frame.ts'
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './segment-header.ts'

const hash = await loadHash()
const IDENTITY = 0x1234_5678

/** A frame for each group of texts, one after the other. */
function frames(groups: readonly (readonly string[])[]): { readonly bytes: Uint8Array; readonly offsets: number[] } {
  const pool = new StagingPool()
  const parts: Uint8Array[] = []
  const offsets: number[] = []
  let position = 1000
  let offset = 0
  for (const [first, ...rest] of groups) {
    const frame = PendingFrame.of(Buffer.from(first as string), position, pool)
    for (const text of rest) assert.ok(frame.add(Buffer.from(text)))
    const bytes = Buffer.concat(frame.encode(hash, IDENTITY, 900))
    assert.equal(bytes.length, frame.bytes)
    parts.push(bytes)
    offsets.push(offset)
    offset += bytes.length
    position = frame.end
  }
  return { bytes: Buffer.concat(parts), offsets }
}

/** Texts of every intact frame that a cursor finds. */
async function walk(bytes: Uint8Array, readBytes: number): Promise<string[][]> {
  const file = await new SimulatedDevice().open('f', 'create')
  await file.write([bytes], 0)
  const cursor = new FrameCursor(file, hash, IDENTITY, 0, bytes.length, readBytes)
  const found: string[][] = []
  for (;;) {
    const next = cursor.next()
    if (next === PENDING) {
      await cursor.fill()
      continue
    }
    if (!next) return found
    if (!cursor.intact()) continue
    const texts: string[] = []
    assert.ok(cursor.visit((payload) => void texts.push(Buffer.from(payload).toString())))
    found.push(texts)
  }
}

const GROUPS = [
  ['one'],
  ['two', 'three'.padEnd(200)],
  ['four'.padEnd(17_000)],
  ['five'.padEnd(127), 'six'.padEnd(128)],
  ['7'],
]

test('every frame is found, however little is read at once', async () => {
  const { bytes } = frames(GROUPS)
  for (const readBytes of [1, 72, 73, 100, 1000, 100_000]) assert.deepEqual(await walk(bytes, readBytes), GROUPS)
})

test('behind a damaged header the next frame is found, wherever the reads end', async () => {
  const groups = Array.from({ length: 12 }, (_, index) => [`frame ${index}`])
  const { bytes, offsets } = frames(groups)
  for (let readBytes = 72; readBytes < 180; readBytes++) {
    for (const victim of [0, 3, 4, 10, 11]) {
      const damaged = new Uint8Array(bytes)
      const at = (offsets[victim] as number) + (readBytes % 36)
      damaged[at] = (damaged[at] as number) ^ 0x10
      assert.deepEqual(
        await walk(damaged, readBytes),
        groups.filter((_, index) => index !== victim),
      )
    }
  }
})

test('a log cut off anywhere ends with its last whole frame, also where zeros follow', async () => {
  const groups = [['a'], ['b', 'c'], ['d'.padEnd(100)]]
  const { bytes, offsets } = frames(groups)
  for (let length = 0; length < bytes.length; length++) {
    const whole = offsets.filter((_, index) => (offsets[index + 1] ?? bytes.length) <= length).length
    assert.deepEqual(await walk(bytes.subarray(0, length), 80), groups.slice(0, whole))
    const padded = new Uint8Array(bytes.length + 500)
    padded.set(bytes.subarray(0, length))
    assert.deepEqual(await walk(padded, 80), groups.slice(0, whole))
  }
})

test('frames and segment headers have the bytes of format version 1', () => {
  const { bytes } = frames([['abc', 'z']])
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    '9d1fb5c7d64a46010600000004000000eb9e286de803000000000000840300000000000003616263017a',
  )
  const header = encodeSegmentHeader({ epoch: 5, attempt: 1, index: 7 }, { base: 2 ** 40 + 3, syncedUpTo: 9 }, IDENTITY)
  assert.equal(header.length, SEGMENT_HEADER_BYTES)
  assert.equal(
    Buffer.from(header).toString('hex'),
    'd466f925d64a53470100000040000000050000000000000001000000070000000300000000010000090000000000000000000000000000000000000000000000',
  )
})

/** A frame with this body, whole by its checksums, and what a cursor says of it: whether it is what its header says. */
async function visitOf(kind: number, body: Uint8Array, payloadBytes: number): Promise<readonly [boolean, string[]]> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length)
  bytes.set(body, FRAME_HEADER_BYTES)
  const check = bodyCheck(hash, body, 0, body.length, IDENTITY, 10)
  const header = { kind, bodyBytes: body.length, payloadBytes, bodyCheck: check, position: 10, syncedUpTo: 0 }
  writeFrameHeader(bytes, new DataView(bytes.buffer), header, IDENTITY)
  const file = await new SimulatedDevice().open('f', 'create')
  await file.write([bytes], 0)
  const cursor = new FrameCursor(file, hash, IDENTITY, 0, bytes.length, 1000)
  await cursor.fill()
  assert.equal(cursor.next(), true)
  assert.ok(cursor.intact())
  const found: string[] = []
  return [cursor.visit((payload, position) => found.push(`${position} ${Buffer.from(payload).toString()}`)), found]
}

test('a body that is not what its header says is told from a whole one, under whatever checksums', async () => {
  const text = (content: string): Uint8Array => Buffer.from(content)
  const cases: readonly [string, number, Uint8Array, number, boolean, readonly string[]][] = [
    ['batches', FRAME_BATCHES, text('\x01a\x02bc'), 3, true, ['10 a', '11 bc']],
    ['one batch', FRAME_BATCH, text('abc'), 3, true, ['10 abc']],
    ['a mark', FRAME_MARK, text(''), 0, true, []],
    ['one batch of another length', FRAME_BATCH, text('abc'), 2, false, []],
    ['a mark with a payload', FRAME_MARK, text(''), 1, false, []],
    ['an empty batch', FRAME_BATCHES, text('\x00\x01a'), 1, false, []],
    ['a batch beyond the end', FRAME_BATCHES, text('\x01a\x03bc'), 3, false, ['10 a']],
    ['more payload than said', FRAME_BATCHES, text('\x01a\x02bc'), 2, false, ['10 a']],
    ['less payload than said', FRAME_BATCHES, text('\x01a'), 2, false, ['10 a']],
  ]
  for (const [what, kind, body, payloadBytes, whole, batches] of cases)
    assert.deepEqual(await visitOf(kind, body, payloadBytes), [whole, batches], what)
})

test('what a file has lost since its size was asked for reads as zeros, and the frames before it are found', async () => {
  const { bytes, offsets } = frames([['a'], ['b'.padEnd(300)], ['c']])
  const file = await new SimulatedDevice().open('f', 'create')
  await file.write([bytes.subarray(0, (offsets[1] as number) + 50)], 0)
  const cursor = new FrameCursor(file, hash, IDENTITY, 0, bytes.length, 10_000)
  const intact: boolean[] = []
  for (let next = cursor.next(); next !== false; next = cursor.next()) {
    if (next === PENDING) await cursor.fill()
    else intact.push(cursor.intact())
  }
  assert.deepEqual(intact, [true, false], 'the second has its header, and a body that is half zeros')
})
