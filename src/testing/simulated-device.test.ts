import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { randomFaults } from '../fs/random-faults.ts'
import { DiskImage, FileContent } from './disk-image.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedDevice } from './simulated-device.ts'
import { failure } from './simulated-failure.ts'
import type { CrashPolicy, SimulatedDeviceOptions } from './simulated-device.ts'
import type { OperationName } from './device-operation.ts'

const NOTHING: CrashPolicy = { data: 'none', names: 'none' }
const EVERYTHING: CrashPolicy = { data: 'all', names: 'all' }
const SOME: CrashPolicy = { data: 'some', names: 'some' }
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

async function write(device: SimulatedDevice, path: string, bytes: Uint8Array, position = 0): Promise<DeviceFile> {
  const file = await device.open(path, device.files().includes(path) ? 'write' : 'create')
  await file.write([bytes], position)
  return file
}

/** A durable file of `bytes`, open. */
async function stored(device: SimulatedDevice, path: string, bytes: Uint8Array): Promise<DeviceFile> {
  const file = await write(device, path, bytes)
  await file.sync()
  await device.syncDirectory('.')
  return file
}

/** A device on which `operation` fails as long as the switch is on. */
function faulty(
  operation: OperationName,
  options: SimulatedDeviceOptions = {},
): { readonly device: SimulatedDevice; on: boolean } {
  const fault = {
    on: false,
    device: new SimulatedDevice({
      ...options,
      before: (seen) => {
        if (fault.on && seen.operation === operation) throw failure('IO_FAILED', operation, seen.path)
      },
    }),
  }
  return fault
}

test('what was synced survives every power cut; of the rest a cut keeps nothing, everything, or some', async () => {
  for (const [policy, expected] of [
    [NOTHING, filled(600, 1)],
    [EVERYTHING, filled(600, 2)],
  ] as const) {
    const device = new SimulatedDevice()
    const file = await stored(device, 'a', filled(600, 1))
    await file.write([filled(600, 2)], 0)
    assert.ok(!device.clean)
    const after = device.crash(policy, 1)
    assert.deepEqual(after.inode('a').content(), expected)
    assert.ok(after.clean, 'after a power cut memory and disk are the same')
  }
})

test('a name that was not synced is lost, or is there with as much of its content as was synced', async () => {
  const seen = new Set<string>()
  for (const data of ['none', 'all'] as const) {
    for (const names of ['none', 'all'] as const) {
      const device = new SimulatedDevice()
      await write(device, 'a', filled(3, 7))
      const after = device.crash({ data, names }, 1)
      const files = after.files().map((path) => `${path}=${after.inode(path).length}`)
      seen.add(`${data} ${names}: ${files.join(' ')}`)
    }
  }
  assert.deepEqual([...seen], ['none none: ', 'none all: a=0', 'all none: ', 'all all: a=3'])
})

test('a torn write leaves every sector old or new, and some write is torn', async () => {
  let torn = 0
  for (const seed of SEEDS) {
    const device = new SimulatedDevice()
    const file = await stored(device, 'a', filled(2048, 1))
    await file.write([filled(1100, 2)], 300)
    const content = device.crash(SOME, seed).inode('a').content()
    const pieces = [
      [0, 300],
      [300, 512],
      [512, 1024],
      [1024, 1400],
      [1400, 2048],
    ] as const
    const bytes = pieces.map(([start, limit]) => new Set(content.subarray(start, limit)))
    assert.ok(
      bytes.every((set) => set.size === 1),
      'a sector is written whole or not at all',
    )
    assert.deepEqual([[...(bytes[0] ?? [])], [...(bytes[4] ?? [])]], [[1], [1]], 'what was not written is not touched')
    if (new Set(content.subarray(300, 1400)).size === 2) torn++
  }
  assert.ok(torn > 0)
})

test('a file may have grown without its data: the hole reads as zeros', async () => {
  const contents = new Set<string>()
  for (const seed of SEEDS) {
    const device = new SimulatedDevice()
    const file = await stored(device, 'a', filled(512, 1))
    await file.write([filled(1024, 2)], 512)
    const content = device.crash(SOME, seed).inode('a').content()
    contents.add([0, 512, 1024].map((at) => content[at] ?? '-').join(''))
  }
  assert.deepEqual([...contents].sort(), ['1--', '102', '12-', '122'])
})

test('the same seed gives the same disk', async () => {
  const digests = await Promise.all(
    [1, 1, 2].map(async (seed) => {
      const device = new SimulatedDevice()
      for (let index = 0; index < 20; index++) await write(device, `f${index % 5}`, filled(2000, index), index * 100)
      const after = device.crash(SOME, seed)
      return after.files().map((path) => [path, ...after.inode(path).content()].join(','))
    }),
  )
  assert.deepEqual(digests[0], digests[1])
  assert.notDeepEqual(digests[0], digests[2])
})

test('a sync covers what finished before it began and nothing that was written while it ran', async () => {
  const waiting: (() => void)[] = []
  let held = false
  const delay = (): Promise<void> =>
    held ? new Promise<void>((resolve) => void waiting.push(resolve)) : Promise.resolve()
  const device = new SimulatedDevice({ delay })
  const file = await stored(device, 'a', filled(1, 1))
  await file.write([filled(1, 2)], 1)
  held = true
  const syncing = file.sync()
  held = false
  await file.write([filled(1, 3)], 2)
  for (const resume of waiting) resume()
  await syncing
  assert.deepEqual(device.crash(NOTHING, 1).inode('a').content(), new Uint8Array([1, 2]))
})

test('after a failed sync readers see what was written, chance decides what is stored, and no later sync changes that', async () => {
  const found = new Set<number>()
  for (let index = 0; index < 40; index++) {
    const fault = faulty('sync')
    // The files before it give the inode another identity, and so another chance.
    for (let other = 0; other < index; other++) await write(fault.device, `other${other}`, filled(1, 0))
    const file = await stored(fault.device, 'a', filled(1, 1))
    await file.write([filled(1, 2)], 0)
    fault.on = true
    await assert.rejects(file.sync(), (error) => isCode(error, 'IO_FAILED'))
    fault.on = false
    assert.deepEqual(fault.device.inode('a').content(), filled(1, 2))
    const again = await fault.device.open('a', 'write')
    await again.sync()
    found.add(fault.device.crash(NOTHING, 1).inode('a').content()[0] as number)
  }
  assert.deepEqual(found, new Set([1, 2]))
})

test('trying a failed sync again on the same handle is a defect of the caller', async () => {
  const fault = faulty('sync')
  const file = await write(fault.device, 'a', filled(1, 1))
  fault.on = true
  await assert.rejects(file.sync())
  fault.on = false
  await assert.rejects(file.sync(), /tried again on the same handle/)
})

test('a failed write leaves nothing, or sectors of it where that was asked for', async () => {
  for (const failedWrites of ['nothing', 'some'] as const) {
    const left = new Set<string>()
    for (let index = 0; index < 40; index++) {
      const fault = faulty('write', { failedWrites })
      for (let other = 0; other < index; other++) await write(fault.device, `other${other}`, filled(1, 0))
      const file = await stored(fault.device, 'a', filled(1024, 1))
      fault.on = true
      await assert.rejects(file.write([filled(1024, 2)], 0), (error) => isCode(error, 'IO_FAILED'))
      const content = fault.device.inode('a').content()
      left.add([content[0], content[512]].join(''))
    }
    assert.deepEqual([...left].sort(), failedWrites === 'nothing' ? ['11'] : ['11', '12', '21', '22'])
  }
})

test('a rename within a directory survives whole or not at all', async () => {
  const found = new Set<string>()
  for (const seed of SEEDS) {
    const device = new SimulatedDevice()
    await stored(device, 'a', filled(1, 1))
    await device.rename('a', 'b')
    found.add(device.crash(SOME, seed).files().join())
  }
  assert.deepEqual([...found].sort(), ['a', 'b'])
})

test('two names of one file are one file after a power cut too', async () => {
  const device = new SimulatedDevice()
  const file = await stored(device, 'a', filled(1, 1))
  await device.link('a', 'b')
  await device.syncDirectory('.')
  await file.write([filled(600, 2)], 0)
  const after = device.crash(SOME, 3)
  assert.equal(after.inode('a'), after.inode('b'))
})

test('a killed process leaves all it had written, as unsynced as before, and its own calls never settle', async () => {
  const device = new SimulatedDevice()
  const file = await write(device, 'a', filled(2, 1))
  const late = file.write([filled(2, 2)], 2)
  const next = device.kill()
  let settled = false
  const watch = (): void => void (settled = true)
  void late.then(watch, watch)
  void device.list('.').then(watch, watch)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(!settled, 'code after an await of a dead process does not run')
  assert.throws(() => device.statSync('a'), /dead/)
  assert.deepEqual(next.inode('a').content(), filled(2, 1))
  assert.deepEqual(next.crash(NOTHING, 1).files(), [])
})

test('a full disk refuses what grows, takes what overwrites, and takes more once there is room', async () => {
  const device = new SimulatedDevice({ capacityBytes: 1000 })
  const file = await write(device, 'a', filled(600, 1))
  await write(device, 'b', filled(400, 1))
  assert.equal((await device.space('.')).freeBytes, 0)
  await assert.rejects(file.write([filled(1, 1)], 600), (error) => isCode(error, 'NO_SPACE'))
  await file.write([filled(600, 2)], 0)
  await device.unlink('b')
  await file.write([filled(400, 3)], 600)
  assert.equal(file.path, 'a')
  assert.equal(await file.size(), 1000)
})

test('every operation is recorded in order, with position and bytes', async () => {
  const device = new SimulatedDevice()
  const file = await write(device, 'a', filled(5, 1), 7)
  await file.sync()
  await device.syncDirectory('.')
  assert.deepEqual(
    device.operations.map(({ operation, path, position, bytes }) => `${operation} ${path} ${position} ${bytes}`),
    ['open a 0 0', 'write a 7 5', 'sync a 0 0', 'syncDirectory . 0 0'],
  )
})

test('a disk holds the files that an image has outside every directory', () => {
  const content = new FileContent(new Uint8Array([1, 2, 3]))
  const device = SimulatedDevice.of(new DiskImage(['inner'], new Map([['outer', content]])))
  assert.deepEqual(device.files(), ['outer'])
  assert.deepEqual(device.inode('outer').content(), content.bytes)
  assert.equal(device.image([]).hash, new DiskImage(['.', 'inner'], new Map([['outer', content]])).hash)
})

test('an injected failure has its code in its message, for those who see no more of it', async () => {
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation === 'stat') throw failure('PERMISSION_DENIED', operation, path)
    },
  })
  await assert.rejects(device.stat('a'), { message: 'stat of a failed: PERMISSION_DENIED (simulated)' })
  const plan = randomFaults(new SeededRandom(1), { failures: 1 })
  const call = { name: 'a', offset: 0, bytes: 0, sync: false } as const
  assert.match(plan({ operation: 'read', ...call })?.error?.message ?? '', /IO_FAILED/)
  assert.match(plan({ operation: 'finish', ...call })?.error?.message ?? '', /OUTCOME_UNKNOWN/)
})
