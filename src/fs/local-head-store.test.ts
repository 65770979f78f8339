import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { randomBytes } from '../testing/file-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { OperationName } from '../testing/device-operation.ts'
import type { HeadVersion } from './fs.ts'
import { LocalHeadStore } from './local-head-store.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const SHARD = shardId('s')
const content = (index: number): Uint8Array => randomBytes(index, 40)
const pathOf = (version: number): string => `heads/s.head-${String(version).padStart(16, '0')}`

function open(device: Device, readOnly = false): Promise<LocalHeadStore> {
  return LocalHeadStore.open({ device, directory: 'heads', hash, random, readOnly })
}

/** Sets heads 1 … `count`, and returns the last one's version. */
async function setHeads(store: LocalHeadStore, count: number): Promise<HeadVersion | undefined> {
  let version: HeadVersion | undefined
  for (let index = 1; index <= count; index++) version = await store.compareAndSet(SHARD, version, content(index))
  return version
}

/** A device whose links wait, once, until they are let go. */
function stalling(device: SimulatedDevice): { device: Device; stalled: Promise<void>; resume: () => void } {
  let resume = (): void => undefined
  let reached = (): void => undefined
  const gate = new Promise<void>((resolve) => (resume = resolve))
  const stalled = new Promise<void>((resolve) => (reached = resolve))
  const link = async (existing: string, created: string): Promise<void> => {
    reached()
    await gate
    await device.link(existing, created)
  }
  return { device: withMethods(device, { link }), stalled, resume }
}

/** `device`, with some of its methods replaced. */
function withMethods(device: SimulatedDevice, methods: Partial<Device>): Device {
  return new Proxy<Device>(device, {
    get(target, name) {
      const replaced = methods[name as keyof Device]
      if (replaced !== undefined) return replaced
      const found: unknown = Reflect.get(target, name, target)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })
}

test('the newest two heads are kept, older ones collected', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  for (let count = 1; count <= 5; count++) {
    await store.compareAndSet(SHARD, (await store.read(SHARD))?.version, content(count))
    assert.deepEqual(device.files(), count === 1 ? [pathOf(1)] : [pathOf(count - 1), pathOf(count)])
  }
})

test('a writer that slept cannot win with a number that was used and collected since, nor change what is read', async () => {
  for (const expected of [0, 1, 2]) {
    for (let others = 1; others <= 6; others++) {
      const device = new SimulatedDevice()
      const store = await open(device)
      const version = await setHeads(store, expected)
      const sleeper = stalling(device)
      const late = (await open(sleeper.device)).compareAndSet(SHARD, version, content(99))
      const outcome = late.then(
        () => 'won',
        (error: unknown) => error,
      )
      await sleeper.stalled
      let newest = version
      for (let index = 1; index <= others; index++)
        newest = await store.compareAndSet(SHARD, newest, content(50 + index))
      sleeper.resume()
      assert.ok(isCode(await outcome, 'HEAD_CONFLICT'), `asleep at ${expected} for ${others}: ${String(await outcome)}`)
      const head = await store.read(SHARD)
      assert.deepEqual(head, { version: newest, content: content(50 + others) }, 'the head is not the sleeper’s')
      await store.compareAndSet(SHARD, newest, content(3))
      assert.equal(device.files().length, 2, 'what the sleeper created is collected like any other')
    }
  }
})

test('a listing that misses what changed while it ran misleads neither reader nor writer', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  const version = await setHeads(store, 3)
  let newest = version
  let listings = 0
  // As a long directory is read: both old names go, both new ones come where the reading has already been.
  const list: Device['list'] = async (path) => {
    if (listings++ > 0) return device.list(path)
    for (let index = 0; index < 2; index++) newest = await store.compareAndSet(SHARD, newest, content(7 + index))
    return []
  }
  const reader = await open(withMethods(device, { list }))
  assert.deepEqual(await reader.read(SHARD), { version: newest, content: content(8) })

  const before = newest
  const sleeper = stalling(device)
  let overtaken = 0
  const partly: Device['list'] = async (path) => {
    const found = await device.list(path)
    if (overtaken++ !== 1) return found
    // The second look: of what is there it sees nothing but what the sleeper has just created.
    return found.filter(({ name }) => `heads/${name}` === pathOf(Number(before) + 1))
  }
  const both = withMethods(device, { list: partly, link: sleeper.device.link.bind(sleeper.device) })
  const outcome = (await open(both)).compareAndSet(SHARD, before, content(99)).then(
    () => 'won',
    (error: unknown) => error,
  )
  await sleeper.stalled
  for (let index = 0; index < 4; index++) newest = await store.compareAndSet(SHARD, newest, content(20 + index))
  sleeper.resume()
  assert.ok(isCode(await outcome, 'HEAD_CONFLICT'), String(await outcome))
})

test('every flipped bit and every truncation of a head is HEAD_CORRUPT, with file and offset', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  await setHeads(store, 3)
  const inode = device.inode(pathOf(3))
  const length = inode.length
  for (let position = 0; position < length; position++) {
    for (let bit = 0; bit < 8; bit++) {
      inode.flipBit(position, bit)
      const error = await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', `bit ${bit} of byte ${position}`)
      assert.equal(error.details['file'], pathOf(3))
      assert.ok(Number.isInteger(error.details['offset']), 'the error names the offset')
      assert.ok(error.message.includes(pathOf(3)), 'a person reads which file')
      inode.flipBit(position, bit)
    }
  }
  const whole = inode.content()
  for (let left = length - 1; left >= 0; left--) {
    inode.truncate(left)
    const error = await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', `cut at ${left}`)
    assert.equal(error.details['file'], pathOf(3))
  }
  inode.write([whole, Uint8Array.of(0)], 0)
  await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', 'a byte too many')
  inode.truncate(length)
  assert.deepEqual((await store.read(SHARD))?.content, content(3), 'repaired, it reads')
})

test('a head under another name is a damaged head', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  await setHeads(store, 2)
  await device.rename(pathOf(1), pathOf(3))
  await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', 'an old version as the newest')
  await device.unlink(pathOf(3))
  await device.link(pathOf(2), 'heads/other.head-0000000000000001')
  await failsWith(() => store.read(shardId('other')), 'HEAD_CORRUPT', 'the head of another shard')
})

test('a whole head of another format is INCOMPATIBLE, a damaged one is not', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  await setHeads(store, 1)
  const inode = device.inode(pathOf(1))
  const bytes = inode.content()
  const view = new DataView(bytes.buffer)
  view.setUint32(4, 2, true)
  inode.write([bytes], 0)
  await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', 'the checksum is of format 1')
  const stream = hash.stream64(hash.hash64(new TextEncoder().encode('s.head-0000000000000001'), 0n))
  stream.update(bytes.subarray(0, 16))
  stream.update(bytes.subarray(24))
  view.setBigUint64(16, stream.digest(), true)
  inode.write([bytes], 0)
  const error = await failsWith(() => store.read(SHARD), 'INCOMPATIBLE', 'format 2')
  assert.deepEqual([error.details['found'], error.details['expected']], [2, 1])
})

test('a damaged newest head hides nothing: the one before is not taken for it', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  await setHeads(store, 2)
  device.inode(pathOf(2)).truncate(0)
  await failsWith(() => store.read(SHARD), 'HEAD_CORRUPT', 'an empty newest head')
})

test('what is no head of the shard is not taken for one', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  const version = await setHeads(store, 2)
  for (const name of ['s.head-3', 's.head-00000000000000003', 's.head-000000000000000x', 's2.head-0000000000000009'])
    await (await device.open(`heads/${name}`, 'create')).close()
  assert.equal((await store.read(SHARD))?.version, version)
  await store.compareAndSet(SHARD, version, content(3))
})

test('a failure at any operation changes the head or not, says which where it can, and leaves it usable', async () => {
  const codes = new Set<string>()
  for (const code of ['IO_FAILED', 'NO_SPACE'] as const) {
    for (let failing = 0; ; failing++) {
      let left = Infinity
      let failed: OperationName | undefined
      const options: SimulatedDeviceOptions = {
        before: ({ operation, path }) => {
          if (left-- !== 0) return
          failed = operation
          throw failure(code, operation, path)
        },
      }
      const device = new SimulatedDevice(options)
      const store = await open(device)
      const version = await setHeads(store, 2)
      left = failing
      const outcome = await store.compareAndSet(SHARD, version, content(3)).catch((error: unknown) => error)
      left = Infinity
      const head = await store.read(SHARD)
      const changed = head?.version !== version
      assert.deepEqual(head?.content, content(changed ? 3 : 2))
      if (typeof outcome === 'string') {
        assert.ok(changed, `${failed}: acknowledged, and not there`)
      } else {
        assert.ok(isCode(outcome, code, 'OUTCOME_UNKNOWN'), `${failed}: ${String(outcome)}`)
        assert.ok(
          !changed || outcome.code === 'OUTCOME_UNKNOWN',
          `${failed}: it happened, and ${outcome.code} was said`,
        )
        codes.add(outcome.code)
      }
      const next = await store.compareAndSet(SHARD, head?.version, content(4))
      assert.deepEqual(await store.read(SHARD), { version: next, content: content(4) })
      if (failed === undefined) break
    }
  }
  assert.deepEqual([...codes].sort(), ['IO_FAILED', 'NO_SPACE', 'OUTCOME_UNKNOWN'])
})

test('leftovers are removed by removeLeftovers, and by nothing else', async () => {
  const device = new SimulatedDevice()
  const store = await open(device)
  const sleeper = stalling(device)
  void (await open(sleeper.device)).compareAndSet(SHARD, undefined, content(1))
  await sleeper.stalled
  const next = device.kill()
  const after = await open(next)
  await after.read(SHARD)
  await setHeads(after, 2)
  assert.equal(next.files().filter((path) => path.startsWith('heads/unfinished-')).length, 1)
  await after.removeLeftovers()
  assert.deepEqual(next.files(), [pathOf(1), pathOf(2)])
  assert.notEqual(store, after)
})

test('a read-only store changes nothing, not even a missing directory', async () => {
  const device = new SimulatedDevice({ readOnly: true })
  const store = await open(device, true)
  assert.equal(await store.read(SHARD), undefined)
  const written = new SimulatedDevice()
  await setHeads(await open(written), 1)
  const readOnly = await open(written.kill({ readOnly: true }), true)
  const head = await readOnly.read(SHARD)
  assert.deepEqual(head?.content, content(1))
  await failsWith(() => readOnly.compareAndSet(SHARD, head?.version, content(2)), 'READ_ONLY', 'a change')
})
