import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epoch } from '../kernel/ids.ts'
import { loadHash } from '../kernel/hash.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import { failure } from '../testing/simulated-failure.ts'
import { SegmentNames } from './segment-names.ts'
import { SpareSegment } from './spare-segment.ts'

await loadHash()

async function spareOn(before: (operation: DeviceOperation) => void = () => undefined) {
  const device = new SimulatedDevice({ before })
  await device.makeDirectory('j')
  return {
    device,
    spare: new SpareSegment(device, 'j', new SegmentNames(device, 'j'), { epoch: epoch(3), attempt: 7 }),
  }
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
  const { spare } = await spareOn(({ operation, path }) => {
    if (none && operation === 'open' && path.endsWith('.log')) throw failure('OUT_OF_FILES', operation, path)
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
