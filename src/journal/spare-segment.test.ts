import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epoch, shardId } from '../kernel/ids.ts'
import { loadHash } from '../kernel/hash.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import { failure } from '../testing/simulated-failure.ts'
import { SegmentNames } from './segment-names.ts'
import { Segment } from './segment.ts'
import { SpareSegment } from './spare-segment.ts'

await loadHash()
const OWNER = { epoch: epoch(3), attempt: 7 }
const SEGMENT_BYTES = 1000

interface Setting {
  readonly before?: (operation: DeviceOperation) => void
  readonly crowded?: () => boolean
  readonly capacityBytes?: number
}

async function spareOn({ before = () => undefined, crowded, capacityBytes }: Setting = {}) {
  const [device, clock] = [
    new SimulatedDevice({ before, ...(capacityBytes && { capacityBytes }) }),
    new SimulatedClock(),
  ]
  await device.makeDirectory('j')
  const settings = { segmentBytes: SEGMENT_BYTES, crowded, clock }
  const spare = new SpareSegment(device, 'j', new SegmentNames(device, 'j'), OWNER, settings)
  return { device, clock, spare }
}

/** A segment of so many bytes, closed, as it is when it is dropped. */
async function dropped(device: SimulatedDevice, bytes: number, owner = OWNER): Promise<Segment> {
  const segment = new Segment('j', shardId('s'), { ...owner, index: 100 + device.files().length }, 0)
  const file = await device.open(segment.path, 'create')
  await file.write([new Uint8Array(bytes).fill(7)], 0)
  await file.close()
  segment.storedBytes = bytes
  return segment
}

const [FIRST, SECOND] = [1, 2].map((index) => `j/0000000000000003-0007-0000000${index}.log`)

test('what was created ahead is what is taken, and the next is another', async () => {
  const { device, spare } = await spareOn()
  spare.prepare()
  spare.prepare()
  const first = await spare.take()
  assert.deepEqual([first.id.index, first.file.path, device.files()], [1, FIRST, [FIRST]])
  const second = await spare.take()
  assert.deepEqual([second.id.index, second.file.path], [2, SECOND])
  for (const { file } of [first, second]) await file.close()
})

test('one that could not be created ahead is created when it is needed, under another number', async () => {
  let none = true
  const { spare } = await spareOn({
    before: ({ operation, path }) => {
      if (none && operation === 'open' && path.endsWith('.log')) throw failure('OUT_OF_FILES', operation, path)
    },
  })
  spare.prepare()
  await assert.rejects(spare.take(), { code: 'OUT_OF_FILES' })
  none = false
  const { id, file } = await spare.take()
  assert.equal(id.index, 3)
  await file.close()
})

test('one that is not needed any more is closed and goes', async () => {
  const { device, spare } = await spareOn()
  spare.prepare()
  await spare.discard()
  await spare.discard()
  assert.deepEqual(device.files(), [])
})

test('the file of a segment that is dropped is the next one, behind what was created before it, and has no other name', async () => {
  const { device, spare } = await spareOn()
  spare.prepare()
  const segment = await dropped(device, 900)
  const before = device.operations.length
  assert.ok(await spare.adopt(segment, await device.openDirectory('j')))
  const operations = device.operations.slice(before).map(({ operation }) => operation)
  assert.deepEqual(
    operations,
    ['open', 'space', 'rename', 'syncDirectory', 'open'],
    'its name is stored before it is open',
  )
  const first = await spare.take()
  const second = await spare.take()
  assert.deepEqual([first.file.path, first.bytes], [FIRST, 0])
  assert.deepEqual([second.file.path, second.bytes, await second.file.size()], [SECOND, 900, 900])
  assert.deepEqual(device.files(), [FIRST, SECOND])
  const third = await spare.take()
  assert.deepEqual([third.id.index, third.bytes], [3, 0])
  for (const { file } of [first, second, third]) await file.close()
})

test('a file is not used again that is short, too long, of another owner, one too many, or the disk has more need of', async () => {
  const refused = async (setting: Setting, bytes: number, owner = OWNER): Promise<void> => {
    const { device, spare } = await spareOn(setting)
    const segment = await dropped(device, bytes, owner)
    assert.ok(!(await spare.adopt(segment, await device.openDirectory('j'))))
    assert.deepEqual(device.files(), [segment.path])
    assert.deepEqual((await spare.take()).id.index, 1, 'no number is lost')
  }
  await refused({}, SEGMENT_BYTES / 2 - 1)
  await refused({}, SEGMENT_BYTES + 1)
  await refused({}, 900, { epoch: epoch(3), attempt: 6 })
  await refused({ crowded: () => true }, 900)
  await refused({ capacityBytes: 17 * 900 - 1 }, 900)
  await refused({ before: ({ operation, path }) => failed(operation === 'space', operation, path) }, 900)
  const { device, spare } = await spareOn({ capacityBytes: 1 << 20 })
  const directory = await device.openDirectory('j')
  const adopted: boolean[] = []
  for (let count = 0; count < 3; count++) adopted.push(await spare.adopt(await dropped(device, 900), directory))
  assert.deepEqual(adopted, [true, true, false])
  await spare.discard()
  assert.equal(device.files().length, 1)
  assert.ok(!(await spare.adopt(await dropped(device, 900), directory)), 'nor where all is over')
})

test('a file that cannot take another name, or not be opened, is removed by whoever drops it', async () => {
  for (const fails of ['rename', 'open'] as const) {
    let on = false
    const { device, spare } = await spareOn({
      before: ({ operation, path }) => failed(on && operation === fails && path.endsWith('.log'), operation, path),
    })
    const [segment, directory] = [await dropped(device, 900), await device.openDirectory('j')]
    on = true
    assert.ok(!(await spare.adopt(segment, directory)))
    on = false
    assert.deepEqual(device.files(), fails === 'rename' ? [segment.path] : [])
    const { id, bytes, file } = await spare.take()
    assert.deepEqual([id.index, bytes], [2, 0])
    await file.close()
  }
})

test('a name that could not be stored fails what drops the segment, and nothing is written to that file', async () => {
  let on = false
  const { device, spare } = await spareOn({
    before: ({ operation, path }) => failed(on && operation === 'syncDirectory', operation, path),
  })
  const [segment, directory] = [await dropped(device, 900), await device.openDirectory('j')]
  on = true
  await assert.rejects(spare.adopt(segment, directory), { code: 'IO_FAILED' })
  on = false
  const { id, bytes, file } = await spare.take()
  assert.deepEqual([id.index, bytes], [2, 0])
  await file.close()
})

// A zombie's drop of a segment ended in NOT_FOUND.
test('a file that the next owner has removed meanwhile is not missed', async () => {
  const { device, spare } = await spareOn()
  const [segment, directory] = [await dropped(device, 900), await device.openDirectory('j')]
  const removed = {
    sync: async () => {
      await directory.sync()
      await device.unlink(FIRST as string)
    },
    close: () => directory.close(),
  }
  assert.ok(!(await spare.adopt(segment, removed)))
  assert.deepEqual(device.files(), [])
})

test('a file that nobody has used for ten seconds goes', async () => {
  const { device, clock, spare } = await spareOn()
  const directory = await device.openDirectory('j')
  await spare.adopt(await dropped(device, 900), directory)
  await passes(clock, 6_000)
  await spare.adopt(await dropped(device, 900), directory)
  await passes(clock, 6_000)
  assert.equal(device.files().length, 2)
  await passes(clock, 6_000)
  assert.deepEqual(device.files(), [])
})

function failed(really: boolean, operation: DeviceOperation['operation'], path: string): void {
  if (really) throw failure('IO_FAILED', operation, path)
}

async function passes(clock: SimulatedClock, ms: number): Promise<void> {
  clock.advance(ms)
  await new Promise((resolve) => setImmediate(resolve))
}
