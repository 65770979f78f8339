/** What every device promises of an open file, as tests: the part of testDevice about bytes. */

import assert from 'node:assert/strict'
import type { Device, DeviceFile } from '../kernel/device.ts'
import type { DevicePromise } from './device-conformance.ts'
import { failsWith } from './expected-failure.ts'
import { SeededRandom } from './seeded-random.ts'

export function testDeviceFiles(promise: DevicePromise): void {
  promise('a new file is empty, and holds what is written to it, wherever that is', async (device) => {
    const file = await device.open('file', 'create')
    assert.deepEqual([await file.size(), await read(file, 10)], [0, []], 'a new file is empty')
    assert.equal(file.path, 'file', 'a file knows its path')
    await file.write([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)], 0)
    assert.deepEqual(await read(file, 10), [1, 2, 3], 'parts follow one another')
    await file.write([Uint8Array.of(9)], 1)
    assert.deepEqual(await read(file, 10), [1, 9, 3], 'a write replaces what was there')
    await file.write([Uint8Array.of(7)], 5)
    assert.deepEqual(await read(file, 10), [1, 9, 3, 0, 0, 7], 'a gap reads as zeros')
    await file.write([], 100)
    await file.write([new Uint8Array(0)], 100)
    assert.equal(await file.size(), 6, 'writing nothing changes nothing')
    await file.close()
    const again = await device.open('file', 'write')
    assert.deepEqual(await read(again, 10), [1, 9, 3, 0, 0, 7], 'content stays')
    await again.write([Uint8Array.of(5)], 6)
    assert.equal(await again.size(), 7, 'a file opened for writing can grow')
  })

  promise('a read stops at the end of the file and touches no more than it read', async (device) => {
    const file = await device.open('file', 'create')
    await file.write([Uint8Array.of(1, 2, 3, 4, 5)], 0)
    const into = new Uint8Array(4).fill(255)
    assert.equal(await file.read(into, 3), 2, 'a read across the end is short')
    assert.deepEqual([...into], [4, 5, 255, 255], 'what was not read is not touched')
    assert.equal(await file.read(into, 5), 0, 'a read at the end has nothing')
    assert.equal(await file.read(into, 1e12), 0, 'nor far behind it')
    assert.equal(await file.read(new Uint8Array(0), 0), 0, 'a read of nothing is fine')
    const middle = new Uint8Array(8)
    assert.equal(await file.read(middle.subarray(2, 5), 1), 3, 'a view is filled')
    assert.deepEqual([...middle], [0, 0, 2, 3, 4, 0, 0, 0], 'and nothing beside it')
  })

  promise('more parts than a system takes at once arrive in one write', async (device) => {
    const file = await device.open('file', 'create')
    const parts = Array.from({ length: 3000 }, (_, index) => Uint8Array.of(index, index >> 8))
    const expected = parts.flatMap((part) => [...part])
    await file.write(parts, 3)
    assert.deepEqual((await read(file, 7000)).slice(3), expected, 'every part is in its place')
    if (!device.supports.syncWrite) return
    file.writeSync(parts, 1)
    assert.deepEqual((await read(file, 7000)).slice(1, 6001), expected, 'by the synchronous twin as well')
  })

  promise('the synchronous twins do the same', async (device) => {
    const { syncRead, syncWrite } = device.supports
    const file = await device.open('file', 'create')
    if (syncWrite) file.writeSync([Uint8Array.of(1, 2), Uint8Array.of(3)], 1)
    else await file.write([Uint8Array.of(1, 2), Uint8Array.of(3)], 1)
    if (syncWrite) file.writeSync([Uint8Array.of(9)], 0)
    else await file.write([Uint8Array.of(9)], 0)
    assert.deepEqual(await read(file, 10), [9, 1, 2, 3], 'writeSync is write')
    if (!syncRead) return
    const into = new Uint8Array(3)
    assert.equal(file.readSync(into, 2), 2, 'readSync stops at the end')
    assert.deepEqual([...into], [2, 3, 0], 'readSync is read')
    assert.equal(file.readSync(into, 100), 0, 'also behind the end')
    const other = device.openSync('file', 'read')
    assert.deepEqual(await read(other, 10), [9, 1, 2, 3], 'openSync is open')
    await failsWith(() => device.openSync('missing', 'read'), 'NOT_FOUND', 'openSync of what is not there')
    await failsWith(() => device.openSync('file', 'create'), 'EXISTS', 'openSync to create what is there')
    await device.openSync('new', 'create').close()
    assert.equal((await device.stat('new'))?.bytes, 0, 'openSync creates')
  })

  promise('what is read at once is what is there, or nothing is said', async (device) => {
    if (!device.supports.readNow) return
    const file = await device.open('file', 'create')
    await file.write([Uint8Array.from({ length: 10_000 }, (_, index) => index)], 0)
    const into = new Uint8Array(6000)
    const middle = into.subarray(100, 5100)
    for (const [position, expected] of [
      [0, 5000],
      [4500, 5000],
      [9000, 1000],
      [10_000, 0],
      [1e12, 0],
    ] as const) {
      into.fill(255)
      const count = file.readNow(middle, position)
      if (count === undefined) continue
      assert.equal(count, expected, `from ${position}: it stops at the end, and only there`)
      assert.ok(
        middle.subarray(0, count).every((byte, index) => byte === ((position + index) & 255)),
        'it is what is there',
      )
      assert.ok(
        into.every((byte, index) => byte === 255 || (index >= 100 && index < 100 + count)),
        'nothing beside it is touched',
      )
    }
    assert.ok([0, undefined].includes(file.readNow(new Uint8Array(0), 0)), 'a read of nothing is fine')
    await file.close()
    await failsWith(() => file.readNow(into, 0), 'CLOSED', 'after close')
  })

  promise('truncate cuts and extends; what comes back after a cut is zeros', async (device) => {
    const file = await device.open('file', 'create')
    await file.write([Uint8Array.of(1, 2, 3, 4)], 0)
    await file.truncate(2)
    assert.deepEqual(await read(file, 10), [1, 2], 'the end is cut')
    await file.truncate(5)
    assert.deepEqual(await read(file, 10), [1, 2, 0, 0, 0], 'an extension is zeros')
    await file.truncate(1)
    await file.write([Uint8Array.of(7)], 3)
    assert.deepEqual(await read(file, 10), [1, 0, 0, 7], 'and so is a gap where there was something')
  })

  promise('preallocate fills a range with zeros and nothing else', async (device) => {
    const file = await device.open('file', 'create')
    await file.write([Uint8Array.of(1, 2, 3, 4)], 0)
    const limit = 3 * 1024 * 1024 + 5
    await file.preallocate(2, limit)
    assert.equal(await file.size(), limit, 'the file reaches to the limit')
    assert.deepEqual(await read(file, 6), [1, 2, 0, 0, 0, 0], 'the range is zeros, what is before it stays')
    const rest = new Uint8Array(limit)
    await file.read(rest, 0)
    assert.ok(
      rest.every((byte, index) => index < 2 || byte === 0),
      'all of it',
    )
    await file.preallocate(limit, limit)
    assert.equal(await file.size(), limit, 'an empty range changes nothing')
  })

  promise('a file opened for reading takes no change', async (device) => {
    const created = await device.open('file', 'create')
    await created.write([Uint8Array.of(1)], 0)
    const file = await device.open('file', 'read')
    await failsWith(() => file.write([Uint8Array.of(2)], 0), 'READ_ONLY', 'write')
    await failsWith(() => file.truncate(0), 'READ_ONLY', 'truncate')
    await failsWith(() => file.preallocate(0, 10), 'READ_ONLY', 'preallocate')
    if (device.supports.syncWrite)
      await failsWith(() => file.writeSync([Uint8Array.of(2)], 0), 'READ_ONLY', 'writeSync')
    assert.deepEqual(await read(file, 10), [1], 'nothing has changed')
  })

  promise('syncs may overlap with each other and with writes', async (device) => {
    const file = await device.open('file', 'create')
    const work: Promise<void>[] = []
    for (let index = 0; index < 50; index++) {
      work.push(file.write([Uint8Array.of(index)], index), file.sync())
      if (index % 10 === 9) await work.at(-1)
    }
    await Promise.all(work)
    await file.sync()
    assert.deepEqual(
      await read(file, 100),
      Array.from({ length: 50 }, (_, index) => index),
      'every write arrived',
    )
  })

  promise('operations on disjoint ranges run concurrently', async (device) => {
    const file = await device.open('file', 'create')
    const blocks = Array.from({ length: 40 }, (_, index) => new Uint8Array(1000).fill(index + 1))
    await Promise.all(blocks.map((block, index) => file.write([block], index * 1000)))
    const found = blocks.map(() => new Uint8Array(1000))
    await Promise.all(found.map((into, index) => file.read(into, index * 1000)))
    assert.deepEqual(found, blocks, 'every range holds what was written to it')
  })

  promise('close is idempotent, waits for what runs, and ends the file', async (device) => {
    const file = await device.open('file', 'create')
    const running = Promise.all([
      file.write([new Uint8Array(100_000)], 0),
      file.preallocate(200_000, 2_500_000),
      file.sync(),
      file.sync(),
    ])
    await Promise.all([file.close(), file.close()])
    assert.equal((await device.stat('file'))?.bytes, 2_500_000, 'close waits for operations in flight')
    await running
    await file.close()
    const into = new Uint8Array(1)
    const calls: readonly (() => unknown)[] = [
      () => file.read(into, 0),
      () => file.write([into], 0),
      () => file.sync(),
      () => file.preallocate(0, 1),
      () => file.size(),
      () => file.truncate(0),
      ...(device.supports.syncRead ? [() => file.readSync(into, 0)] : []),
      ...(device.supports.syncWrite ? [() => file.writeSync([into], 0)] : []),
    ]
    for (const call of calls) await failsWith(call, 'CLOSED', `${String(call)} after close`)
  })

  promise('any sequence of changes leaves what it would leave in memory', async (device) => {
    for (let seed = 1; seed <= 10; seed++) await compareWithMemory(device, seed)
  })
}

async function compareWithMemory(device: Device, seed: number): Promise<void> {
  const random = new SeededRandom(seed)
  const file = await device.open(`file${seed}`, 'create')
  let model: number[] = []
  for (let step = 0; step < 40; step++) {
    const [position, length, byte] = [random.below(3000), random.below(2000), random.below(256)]
    const limit = position + length
    const extend = (to: number): void => {
      while (model.length < to) model.push(0)
    }
    switch (random.below(5)) {
      case 0:
        model = model.slice(0, position)
        extend(position)
        await file.truncate(position)
        break
      case 1:
        if (length > 0) extend(limit)
        model.fill(0, position, limit)
        await file.preallocate(position, limit)
        break
      default:
        if (length > 0) extend(limit)
        model.fill(byte, position, limit)
        if (device.supports.syncWrite && random.once(2)) file.writeSync([new Uint8Array(length).fill(byte)], position)
        else await file.write([new Uint8Array(length).fill(byte)], position)
    }
    assert.equal(await file.size(), model.length, `seed ${seed}, step ${step}: the length`)
  }
  assert.deepEqual(await read(file, 6000), model, `seed ${seed}: the content`)
  await file.close()
}

/** At most `length` bytes from the start. */
async function read(file: DeviceFile, length: number): Promise<number[]> {
  const bytes = new Uint8Array(length)
  const count = await file.read(bytes, 0)
  return [...bytes.subarray(0, count)]
}
