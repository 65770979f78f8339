import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { epoch } from '../kernel/ids.ts'
import type { Device } from '../kernel/device.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { Fence } from './fence.ts'

const IDENTITY = 77

async function device(): Promise<SimulatedDevice> {
  const made = new SimulatedDevice()
  await made.makeDirectory('journal')
  return made
}

/** `inner`, with some of its functions in another way. */
function changed(inner: Device, functions: Partial<Device>): Device {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(functions, name) ?? Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const raise = (on: Device, at: number, attempt = 1): Promise<Fence> =>
  Fence.raise(on, 'journal', epoch(at), attempt, IDENTITY)

test('who raises a fence under a higher epoch, or again under the same, fences who was there before', async () => {
  const disk = await device()
  const first = await raise(disk, 1)
  assert.ok((await first.holds()) && first.holdsSync())
  const second = await raise(disk, 1)
  assert.equal(second.attempt, 2)
  assert.ok(!(await first.holds()) && !first.holdsSync() && (await second.holds()))
  const third = await raise(disk, 5)
  assert.ok(!second.holdsSync() && third.holdsSync())
  await assert.rejects(raise(disk, 4), { code: 'FENCED' })
  assert.ok(third.holdsSync(), 'an older epoch changes nothing')
})

test('of two that open under one epoch at once, the second is fenced', async () => {
  const disk = await device()
  let late: Promise<Fence> | undefined
  const slow = changed(disk, {
    async list(directory) {
      const listed = await disk.list(directory)
      // Another one is faster, between this look and the creation.
      late ??= raise(disk, 3)
      await late
      return listed
    },
  })
  await assert.rejects(raise(slow, 3), { code: 'FENCED' })
  assert.ok((await late)?.holdsSync())
})

test('what its owner left when it closed is found, and nothing of what is damaged or impossible', async () => {
  const closing = { index: 3, endOffset: 4096, end: 999 }
  const former = async (end: number, damage?: (bytes: Uint8Array) => Uint8Array) => {
    const disk = await device()
    const fence = await raise(disk, 1)
    await fence.close({ ...closing, end })
    await fence.release()
    if (damage !== undefined) {
      const file = await disk.open('journal/fence.1-1', 'write')
      const bytes = new Uint8Array(await file.size())
      await file.read(bytes, 0)
      await file.truncate(0)
      await file.write([damage(bytes)], 0)
      await file.close()
    }
    return (await raise(disk, 2)).former?.closing
  }
  assert.deepEqual(await former(999), closing)
  assert.equal(await former(2 ** 53), undefined)
  assert.equal(await former(999, (bytes) => bytes.fill(9, 40, 41)), undefined)
  assert.equal(await former(999, (bytes) => bytes.fill(9, 20, 21)), undefined)
  assert.equal(await former(999, (bytes) => bytes.subarray(0, 50)), undefined)
  assert.equal(await former(999, (bytes) => Buffer.concat([bytes, Buffer.from('more')])), undefined)
})

test('a former fence that has gone meanwhile is fenced; one that cannot be emptied stops who opens', async () => {
  const disk = await device()
  await (await raise(disk, 1)).release()
  const gone = changed(disk, {
    open: async (path, mode) => {
      if (path === 'journal/fence.1-1' && mode === 'read') await disk.unlink(path)
      return disk.open(path, mode)
    },
  })
  const second = await raise(gone, 2)
  assert.equal(second.former?.closing, undefined)
  assert.ok(second.holdsSync())
  const refusing = changed(disk, {
    open: (path, mode) =>
      path === 'journal/fence.2-1' && mode === 'write'
        ? Promise.reject(new VarveError('IO_FAILED', 'no'))
        : disk.open(path, mode),
  })
  await assert.rejects(raise(refusing, 3), { code: 'IO_FAILED' })
})
