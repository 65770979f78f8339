import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import { FRAME_BATCHES, FRAME_HEADER_BYTES, bodyCheck, writeFrameHeader } from './frame.ts'
import { PendingFrame, StagingPool } from './pending-frame.ts'
import { SegmentChain } from './segment-chain.ts'
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './segment-header.ts'
import { scanSegment } from './segment-scan.ts'
import { Segment } from './segment.ts'

const hash = await loadHash()
const SHARD = shardId('main')
const nobody = { adopt: () => Promise.resolve(false) }

/** One frame, of some batches, at a position. */
interface Written {
  readonly position: number
  readonly batches: readonly string[]
}

class Bench {
  readonly device = new SimulatedDevice()
  readonly segments: Segment[] = []
  end = 0

  /** A segment with these frames, one after the other; `change` may damage its bytes. */
  async segment(index: number, written: readonly Written[], change?: (bytes: Uint8Array) => void): Promise<Segment> {
    const base = written[0]?.position ?? this.end
    const segment = new Segment('journal', SHARD, { epoch: 1, attempt: 1, index }, base)
    const parts = [encodeSegmentHeader(segment.id, { base, syncedUpTo: 0 }, segment.identity)]
    for (const { position, batches } of written) {
      const [first = '', ...rest] = batches.map((text) => Buffer.from(text))
      const frame = PendingFrame.of(first as Buffer, position, new StagingPool())
      for (const batch of rest) assert.ok(frame.add(batch))
      parts.push(...frame.encode(hash, segment.identity, 0).map((part) => part.slice()))
      segment.end = Math.max(segment.end, frame.end)
    }
    const bytes = Buffer.concat(parts)
    change?.(bytes)
    await this.device.makeDirectory('journal')
    const file = await this.device.open(segment.path, 'create')
    await file.write([bytes], 0)
    await file.close()
    segment.endOffset = bytes.length
    segment.storedBytes = bytes.length
    this.segments.push(segment)
    this.end = Math.max(this.end, segment.end)
    return segment
  }

  chain(end = this.end): SegmentChain {
    return new SegmentChain(this.device, hash, 'journal', 64, { segments: this.segments, end })
  }

  async replayed(from: number, end = this.end): Promise<readonly string[]> {
    const found: string[] = []
    await this.chain(end).replay(from, (payload) => void found.push(Buffer.from(payload).toString()))
    return found
  }
}

const CORRUPT = { code: 'JOURNAL_CORRUPT' }
const one: Written = { position: 0, batches: ['abc', 'de'] }
const two: Written = { position: 5, batches: ['fgh'] }
const long: Written = { position: 8, batches: ['x'.repeat(40_000)] }

test('replay visits every batch from a position on, in whatever segment, and none before it', async () => {
  const bench = new Bench()
  await bench.segment(1, [one, two])
  await bench.segment(2, [long])
  assert.deepEqual(await bench.replayed(0), ['abc', 'de', 'fgh', 'x'.repeat(40_000)])
  assert.deepEqual(await bench.replayed(3), ['de', 'fgh', 'x'.repeat(40_000)])
  assert.deepEqual((await bench.replayed(8)).length, 1)
  assert.deepEqual(await bench.replayed(40_008), [])
})

test('a frame that an earlier write left at the same place is passed over', async () => {
  const bench = new Bench()
  await bench.segment(1, [one, { position: 2, batches: ['old'] }, two])
  assert.deepEqual(await bench.replayed(0), ['abc', 'de', 'fgh'])
})

test('a search for the end of a segment passes over what an earlier write left at the same place, too', async () => {
  const bench = new Bench()
  const segment = await bench.segment(1, [one, { position: 2, batches: ['old'] }, two])
  const expected = { end: segment.end, endOffset: segment.endOffset }
  ;[segment.end, segment.endOffset] = [0, undefined]
  const file = await bench.device.open(segment.path, 'read')
  const { doubts } = await scanSegment(segment, file, hash, 64)
  assert.deepEqual([doubts, { end: segment.end, endOffset: segment.endOffset }], [[], expected])
})

test('a record that reaches beyond the end of its segment is not of the log', async () => {
  const bench = new Bench()
  const segment = await bench.segment(1, [one, two])
  assert.deepEqual(await bench.replayed(0), ['abc', 'de', 'fgh'])
  segment.end = 7
  await assert.rejects(bench.replayed(0, 7), /no valid record for positions 5…7/)
})

test('a device that cannot open a segment has not lost it', async () => {
  const bench = new Bench()
  const segment = await bench.segment(1, [one])
  const refusing = bench.device.shared({
    before: ({ operation, path }) => {
      if (operation === 'open') throw failure('IO_FAILED', operation, path)
    },
  })
  const chain = new SegmentChain(refusing, hash, 'journal', 64, { segments: [segment], end: segment.end })
  await assert.rejects(
    chain.replay(0, () => {}),
    { code: 'IO_FAILED' },
  )
})

test('what is not there is damage, and named: a file, a segment, a record, the end', async () => {
  const bench = new Bench()
  const first = await bench.segment(1, [one])
  await bench.segment(3, [{ position: 8, batches: ['later'] }])
  await assert.rejects(bench.replayed(0), /0001-00000002\.log.*5…8 are missing/)
  await assert.rejects(bench.replayed(9, 20), /13…20 are missing/)
  await assert.rejects(bench.replayed(0, 3), CORRUPT)
  await bench.device.unlink(first.path)
  await assert.rejects(bench.replayed(0), /0001-00000001\.log.*the file is missing/)
  await assert.rejects(bench.chain().read(0, 3), { code: 'NOT_FOUND' })
  first.present = false
  await assert.rejects(bench.replayed(0), /the file is missing/)
  await assert.rejects(bench.chain().read(0, 3), { code: 'NOT_FOUND' })
  const alone = new Bench()
  await alone.segment(1, [{ position: 4, batches: ['gap'] }])
  await assert.rejects(alone.replayed(0), /0…4 are missing/)
})

test('a body that is not what its header says is damage, whether it is read or replayed', async () => {
  const damage = new Bench()
  await damage.segment(1, [one, two], (bytes) => void (bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1))
  await assert.rejects(damage.replayed(0), /wrong checksum/)
  await assert.rejects(damage.chain().read(5, 3), /wrong checksum/)
  assert.deepEqual(await damage.chain().read(0, 3), new Uint8Array(Buffer.from('abc')))
  // The length of the only batch, under a checksum that is right.
  const wrong = new Bench()
  const [text, position] = ['abc', 0]
  const segment = await wrong.segment(1, [{ position, batches: [text] }])
  const frame = PendingFrame.of(Buffer.from(text), position, new StagingPool())
  const parts = frame.encode(hash, segment.identity, 0)
  const bytes = Buffer.concat(parts)
  bytes[FRAME_HEADER_BYTES] = 1
  const body = { bodyBytes: bytes.length - FRAME_HEADER_BYTES, payloadBytes: 3, position, syncedUpTo: 0 }
  const check = bodyCheck(hash, bytes, FRAME_HEADER_BYTES, bytes.length, segment.identity, position)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  writeFrameHeader(bytes, view, { ...body, kind: FRAME_BATCHES, bodyCheck: check }, segment.identity)
  const file = await wrong.device.open(segment.path, 'write')
  await file.write([bytes], SEGMENT_HEADER_BYTES)
  await file.close()
  await assert.rejects(wrong.replayed(0), /do not fill the record/)
  await assert.rejects(wrong.chain().read(0, 3), /do not fill the record/)
})

test('a read finds its batch in the middle, and is refused beyond one batch or where there is no record', async () => {
  const bench = new Bench()
  const segment = await bench.segment(1, [one, two])
  const chain = bench.chain()
  assert.equal(Buffer.from(await chain.read(4, 1)).toString(), 'e')
  assert.equal(Buffer.from(await chain.read(5, 3)).toString(), 'fgh')
  await assert.rejects(chain.read(1, 4), { name: 'RangeError' })
  segment.end = 20
  await assert.rejects(chain.read(12, 1), /no record for position 12/)
  await chain.close()
  const hole = new Bench()
  const behind = await hole.segment(1, [one, { position: 9, batches: ['far'] }])
  assert.equal(behind.end, 12)
  await assert.rejects(hole.chain().read(6, 1), /no record for position 6/)
})

test('truncating removes whole segments, oldest first, each with its name, and none that is needed', async () => {
  const bench = new Bench()
  const first = await bench.segment(1, [one])
  const second = await bench.segment(2, [two])
  const third = await bench.segment(3, [long])
  const chain = bench.chain()
  const changes = (): readonly string[] =>
    bench.device.operations.map(({ operation }) => operation).filter((name) => /unlink|syncDirectory/.test(name))
  await chain.truncate(7, () => third, nobody)
  assert.deepEqual(changes(), ['unlink', 'syncDirectory'], 'the second reaches beyond')
  assert.equal(await bench.device.stat(first.path), undefined)
  assert.equal(chain.start, 5)
  second.present = false
  await chain.truncate(bench.end, () => third, nobody)
  assert.deepEqual(changes(), ['unlink', 'syncDirectory'], 'one that is not there need not go, the kept one stays')
  assert.ok((await bench.device.stat(third.path)) !== undefined)
  await chain.close()
})

// Found by crash points: the owner went on writing to a file that had no name any more.
test('truncating leaves a segment alone that began to take writes while others were removed', async () => {
  const bench = new Bench()
  await bench.segment(1, [one, two])
  const chain = bench.chain()
  const taking: Segment[] = []
  const truncated = chain.truncate(bench.end, () => taking[0], nobody)
  const second = await bench.segment(2, [])
  taking.push(second)
  chain.push(second)
  await truncated
  assert.deepEqual(bench.device.files(), [second.path])
})
