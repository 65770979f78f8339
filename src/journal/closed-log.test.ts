import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { closedSegments } from './closed-log.ts'
import type { Closing } from './fence.ts'
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './segment-header.ts'
import { segmentIdentity, segmentName } from './segment-id.ts'

const hash = await loadHash()
const SHARD = shardId('s')
const BYTES = 500

/** Segments of one owner, each of `BYTES`, which begin at these positions. */
async function closedSegmentsOf(bases: readonly (readonly [index: number, base: number])[], closing: Closing) {
  const device = new SimulatedDevice()
  await device.makeDirectory('j')
  const ids = bases.map(([index]) => ({ epoch: 1, attempt: 1, index }))
  for (const [at, id] of ids.entries()) {
    const base = bases[at]?.[1] ?? 0
    const file = await device.open(`j/${segmentName(id)}`, 'create')
    const header = encodeSegmentHeader(id, { base, syncedUpTo: 0 }, segmentIdentity(SHARD, id))
    await file.write([header, new Uint8Array(BYTES - header.length)], 0)
    await file.close()
  }
  const components = { device, hash, directory: 'j', shard: SHARD, readBytes: 4096, readOnly: false }
  return closedSegments(components, ids, 100, closing)
}

test('a closing is believed only where it fits the segments that are there', async () => {
  const two = [
    [1, 100],
    [2, 400],
  ] as const
  const closing = { index: 2, end: 700, endOffset: BYTES }
  const segments = await closedSegmentsOf(two, closing)
  assert.deepEqual(
    segments?.map(({ base, end, endOffset }) => [base, end, endOffset]),
    [
      [100, 400, undefined],
      [400, 700, BYTES],
    ],
  )
  for (const [what, bases, other] of [
    ['it ends in a segment that is not the last', two, { ...closing, index: 1 }],
    ['it ends in a segment that is not there', two, { ...closing, index: 3 }],
    ['it ends beyond the file', two, { ...closing, endOffset: BYTES + 1 }],
    ['it ends within the header', two, { ...closing, endOffset: SEGMENT_HEADER_BYTES }],
    ['it ends before the last segment begins', two, { ...closing, end: 400 }],
    [
      'a segment is missing between them',
      [
        [1, 100],
        [3, 400],
      ],
      { ...closing, index: 3 },
    ],
    [
      'a segment begins before its predecessor',
      [
        [1, 300],
        [2, 300],
      ],
      closing,
    ],
    [
      'a segment begins before the owner did',
      [
        [1, 99],
        [2, 400],
      ],
      closing,
    ],
    ['there is none', [], closing],
  ] as const) {
    assert.equal(await closedSegmentsOf(bases, other), undefined, what)
  }
})
