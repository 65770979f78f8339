import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB, MIB } from '../kernel/limits.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import { LocalReserve, RESERVE_NAME } from './local-reserve.ts'

/** A reserve on a disk that says it has `freeBytes` of 100 GiB left. */
async function reserveOn(device: SimulatedDevice, freeBytes: number): Promise<LocalReserve> {
  device.space = () => Promise.resolve({ freeBytes, totalBytes: 100 * GIB })
  return LocalReserve.open({ device, path: RESERVE_NAME, bytesMax: 2 * MIB })
}

test('nothing is written while there is ample space, and what was set aside before stays', async () => {
  const device = new SimulatedDevice({ record: false })
  const ample = await reserveOn(device, 50 * GIB)
  assert.equal(await ample.hold(1 * MIB), true)
  assert.equal(ample.heldBytes, 0)
  assert.equal(await device.stat(RESERVE_NAME), undefined)
  const scarce = await reserveOn(device, 1 * GIB)
  assert.equal(await scarce.hold(1 * MIB), true)
  assert.equal(scarce.heldBytes, 1 * MIB)
  const again = await reserveOn(device, 50 * GIB)
  assert.equal(await again.hold(1 * MIB), true)
  assert.equal((await device.stat(RESERVE_NAME))?.bytes, 1 * MIB)
})

test('a reserve that was given back is held again on a disk that has become ample', async () => {
  const device = new SimulatedDevice({ record: false })
  const reserve = await reserveOn(device, 1 * GIB)
  assert.equal(await reserve.hold(1 * MIB), true)
  await reserve.release()
  assert.equal(reserve.released, true)
  const again = await reserveOn(device, 50 * GIB)
  assert.equal(await again.hold(2 * MIB), true)
  assert.equal(again.released, false)
})

test('a disk that was full though it says that there is ample space is one where space has to be held', async () => {
  const device = new SimulatedDevice({ record: false })
  const reserve = await reserveOn(device, 50 * GIB)
  assert.equal(await reserve.hold(1 * MIB), true)
  // Nothing was held, but something met NO_SPACE: a quota, which free bytes know nothing of.
  await reserve.release()
  assert.equal(await reserve.hold(1 * MIB), true)
  assert.equal(reserve.heldBytes, 1 * MIB)
})

test('a morsel of a reserve makes room once it is there, and none is taken of what is not or has been given back', async () => {
  const device = new SimulatedDevice({ record: false })
  assert.equal(await LocalReserve.nibble(device, RESERVE_NAME), false)
  const reserve = await reserveOn(device, 1 * GIB)
  await reserve.hold(1 * MIB)
  assert.equal(await LocalReserve.nibble(device, RESERVE_NAME), true)
  const left = (await device.stat(RESERVE_NAME))?.bytes as number
  assert.ok(left > MIB / 2 && left < MIB)
  await reserve.release()
  assert.equal(await LocalReserve.nibble(device, RESERVE_NAME), false)
  await reserve.close()
})

test('where another takes the space first, what was held before stays held, whatever fails while it is put back', async () => {
  for (const code of ['NO_SPACE', 'IO_FAILED'] as const) {
    let fails = false
    const device = new SimulatedDevice({
      record: false,
      before: ({ operation, path }) => {
        if (fails && operation === 'truncate') throw failure('IO_FAILED', operation, path)
      },
    })
    const reserve = await reserveOn(device, 1 * GIB)
    await reserve.hold(1 * MIB)
    const open = device.open.bind(device)
    device.open = async (...call) => {
      const file = await open(...call)
      file.preallocate = () => Promise.reject(failure(code, 'preallocate', RESERVE_NAME))
      return file
    }
    fails = true
    if (code === 'NO_SPACE') assert.equal(await reserve.hold(2 * MIB), false)
    else await assert.rejects(reserve.hold(2 * MIB), { code })
    assert.equal(reserve.heldBytes, 1 * MIB)
    assert.equal((await device.stat(RESERVE_NAME))?.bytes, 1 * MIB)
    await reserve.close()
  }
})
