import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashStates } from './crash-states.ts'
import { content } from './device-content.ts'
import type { CrashStatePolicy } from './crash-states.ts'
import type { FailedSyncs } from './simulated-inode.ts'
import { SimulatedDevice } from './simulated-device.ts'
import type { TransferFault } from './simulated-transfer.ts'
import { failure } from './simulated-failure.ts'

async function contents(device: SimulatedDevice, policy: CrashStatePolicy): Promise<Set<string>> {
  const found = new Set<string>()
  for (const state of crashStates(device.pendingChanges(), 1)) {
    if (state.policy !== policy) continue
    const after = SimulatedDevice.of(device.image(state.fates))
    const files = after.files().map(async (path) => `${path}: ${(await content(after, path)).join(' ')}`)
    found.add((await Promise.all(files)).join(', '))
  }
  return found
}

/** Two names that are not durable, one with bytes that are. */
async function twoFiles(): Promise<SimulatedDevice> {
  const device = new SimulatedDevice()
  const a = await device.open('a', 'create')
  await a.write([Uint8Array.of(1, 2, 3, 4)], 0)
  await a.sync()
  await a.write([Uint8Array.of(5, 6)], 3)
  await device.open('b', 'create')
  return device
}

test('nothing, everything, one, all but one and any subset of what was not synced is what a power cut keeps', async () => {
  const device = await twoFiles()
  assert.equal(device.pendingChanges().length, 3)
  assert.deepEqual(await contents(device, 'none'), new Set(['']))
  assert.deepEqual(await contents(device, 'all'), new Set(['a: 1 2 3 5 6, b: ']))
  assert.deepEqual(await contents(device, 'one'), new Set(['a: 1 2 3 4', 'b: ', '']))
  assert.deepEqual(await contents(device, 'all but one'), new Set(['b: ', 'a: 1 2 3 5 6', 'a: 1 2 3 4, b: ']))
  assert.equal((await contents(device, 'subset')).size, 5)
  assert.deepEqual(await contents(device, 'names only'), new Set(['a: 1 2 3 4, b: ']))
  assert.deepEqual(await contents(device, 'data only'), new Set(['']))
})

test('a write is torn at bytes and sectors, and a file grows without its data', async () => {
  const device = await twoFiles()
  assert.deepEqual(await contents(device, 'torn'), new Set(['a: 1 2 3 5, b: ']))
  assert.deepEqual(await contents(device, 'grown'), new Set(['a: 1 2 3 4 0, b: ', 'a: 1 2 3 4 89, b: ']))
  const file = await device.open('c', 'create')
  await file.write([new Uint8Array(1200).fill(7)], 100)
  const lengths = [...(await contents(device, 'torn'))].map((text) => /c: (.*)/.exec(text)?.[1]?.split(' ').length)
  for (const length of [101, 512, 700, 1024, 1299])
    assert.ok(lengths.includes(length), `${length} of ${lengths.join()}`)
})

test('images are the same where names, links and bytes are, and a device made of one is that disk', async () => {
  const device = await twoFiles()
  await device.link('a', 'c')
  await device.syncDirectory('.')
  const image = device.image(device.pendingChanges().map(() => 'kept'))
  assert.equal(image.hash, device.image(device.pendingChanges().map(() => 'kept')).hash)
  assert.notEqual(image.hash, device.image(device.pendingChanges().map(() => 'lost')).hash)
  const after = SimulatedDevice.of(image)
  assert.ok(after.clean)
  const file = await after.open('a', 'write')
  await file.write([Uint8Array.of(9)], 0)
  assert.deepEqual(await content(after, 'c'), [9, 2, 3, 5, 6])
  assert.deepEqual(await content(SimulatedDevice.of(image), 'c'), [1, 2, 3, 5, 6], 'an image does not change')
})

test('after a failed sync pages are gone for the disk, gone for readers too, or stored by the next sync', async () => {
  const found: Record<FailedSyncs, (number | undefined)[]> = { dropped: [], reverted: [], retained: [] }
  for (const failedSyncs of ['dropped', 'reverted', 'retained'] as const) {
    let failing = false
    const device = new SimulatedDevice({
      failedSyncs,
      before: ({ operation, path }) => {
        if (failing && operation === 'sync') throw failure('IO_FAILED', operation, path)
      },
    })
    const file = await device.open('a', 'create')
    await file.write([Uint8Array.of(1)], 0)
    await file.sync()
    await device.syncDirectory('.')
    // Many, so that chance does not keep them all.
    for (let at = 1; at < 40; at++) await file.write([Uint8Array.of(2)], at)
    failing = true
    await assert.rejects(file.sync())
    failing = false
    const again = await device.open('a', 'write')
    found[failedSyncs].push((await content(device, 'a')).filter((byte) => byte === 2).length)
    await again.sync()
    const after = device.crash({ data: 'none', names: 'none' }, 1)
    found[failedSyncs].push((await content(after, 'a')).filter((byte) => byte === 2).length)
  }
  const [read, stored] = found.dropped
  assert.ok(read === 39 && stored !== undefined && stored > 0 && stored < 39, `${read} ${stored}`)
  assert.deepEqual(
    [found.reverted, found.retained],
    [
      [0, 0],
      [39, 39],
    ],
  )
})

test('transfers go wrong as they are told to: flipped, misdirected, stale, short', async () => {
  let fault: TransferFault | undefined
  const device = new SimulatedDevice({ transferFault: () => fault })
  const file = await device.open('a', 'create')
  await file.write([Uint8Array.of(1, 2, 3, 4)], 0)
  await file.sync()
  await file.write([Uint8Array.of(9)], 0)
  const read = async (of: TransferFault | undefined): Promise<number[]> => {
    fault = of
    const into = new Uint8Array(3)
    const count = await file.read(into, 0)
    fault = undefined
    return [...into.subarray(0, count)]
  }
  assert.deepEqual(await read(undefined), [9, 2, 3])
  assert.deepEqual(await read({ type: 'flipped', bit: 9 }), [9, 0, 3])
  assert.deepEqual(await read({ type: 'misdirected', position: 1 }), [2, 3, 4])
  assert.deepEqual(await read({ type: 'stale' }), [1, 2, 3])
  assert.deepEqual(await read({ type: 'short', bytes: 1 }), [9])
  const write = async (of: TransferFault): Promise<number[]> => {
    const other = await device.open(of.type, 'create')
    fault = of
    const settled = await Promise.allSettled([other.write([Uint8Array.of(8, 8)], 0)])
    fault = undefined
    assert.equal(settled[0].status, of.type === 'short' ? 'rejected' : 'fulfilled')
    return content(device, of.type)
  }
  assert.deepEqual(await write({ type: 'flipped', bit: 0 }), [9, 8])
  assert.deepEqual(await write({ type: 'misdirected', position: 1 }), [0, 8, 8])
  assert.deepEqual(await write({ type: 'stale' }), [])
  assert.deepEqual(await write({ type: 'short', bytes: 1 }), [8])
})
