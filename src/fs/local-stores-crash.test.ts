/** What survives of local files and heads when the process is killed or the power is cut, at any operation. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { formatHash64, loadHash } from '../kernel/hash.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { CrashPolicy, SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { HeadVersion } from './fs.ts'
import { LocalFileStore } from './local-file-store.ts'
import { LocalHeadStore } from './local-head-store.ts'

const hash = await loadHash()
const SHARD = shardId('s')
const KEPT = ['none', 'all', 'some'] as const
const POLICIES: readonly CrashPolicy[] = KEPT.flatMap((data) => KEPT.map((names) => ({ data, names })))
const NOTHING: CrashPolicy = { data: 'none', names: 'none' }

type End = (device: SimulatedDevice, options: SimulatedDeviceOptions) => SimulatedDevice

/** Ways to end: a killed process, and power cuts that keep this or that. */
const ENDS: readonly End[] = [
  (device, options) => device.kill(options),
  ...POLICIES.flatMap((policy) =>
    (policy.data === 'some' || policy.names === 'some' ? [1, 2, 3] : [1]).map(
      (seed): End =>
        (device, options) =>
          device.crash(policy, seed, options),
    ),
  ),
]

/**
 * Runs `work` on `device` until its operation number `count` is about to happen, and ends it there.
 *
 * @returns the device after it, and whether `work` was done before
 */
async function runUntil(
  count: number,
  end: End,
  work: (device: SimulatedDevice) => Promise<void>,
): Promise<{ readonly next: SimulatedDevice; readonly finished: boolean }> {
  let left = count
  let next: SimulatedDevice | undefined
  let cut: (finished: false) => void
  const ended = new Promise<false>((resolve) => (cut = resolve))
  const device: SimulatedDevice = new SimulatedDevice({
    before: () => {
      if (left-- !== 0) return
      // From here on nothing that the work asks for settles.
      next = end(device, {})
      cut(false)
      throw failure('IO_FAILED', 'any', 'the power is gone')
    },
  })
  const done = work(device).then(
    () => true,
    (error: unknown) => {
      if (next === undefined) throw error
      return false
    },
  )
  const finished = await Promise.race([done, ended])
  return { next: next ?? end(device, {}), finished }
}

interface Scenario {
  work(device: SimulatedDevice): Promise<void>
  /** What must hold after the end, wherever it came. */
  check(device: SimulatedDevice): Promise<void>
}

/** Every end at every operation of a scenario, which is made anew each time. Returns the number of operations. */
async function enumerate(begin: () => Scenario): Promise<number> {
  let operations = 0
  for (const end of ENDS) {
    for (let count = 0; ; count++) {
      const scenario = begin()
      const { next, finished } = await runUntil(count, end, (device) => scenario.work(device))
      await scenario.check(next)
      operations = Math.max(operations, count)
      if (finished) break
    }
  }
  return operations
}

const content = (seed: number): Uint8Array => {
  const random = new SeededRandom(seed)
  return Uint8Array.from({ length: 1500 + seed }, () => random.u32())
}

test('a finished file survives any end, an unfinished one is whole or not there, and leftovers can be removed', async () => {
  const operations = await enumerate(() => {
    const finished: FileRef[] = []
    return {
      async work(device) {
        const store = await LocalFileStore.open({ device, directory: 'files', hash })
        for (let index = 0; index < 3; index++) {
          const writer = await store.create(fileName(`f${index}`))
          await writer.write(content(index).subarray(0, 700))
          await writer.write(content(index).subarray(700))
          if (index === 1) await writer.abort()
          else finished.push(await writer.finish())
        }
      },
      async check(device) {
        const store = await LocalFileStore.open({ device, directory: 'files', hash })
        await store.removeLeftovers()
        const listed = await store.list()
        for (const { name, bytes } of listed) {
          const expected = content(Number(name.slice(1)))
          const reader = await store.open({ name, bytes, checksum: formatHash64(hash.hash64(expected, 0n)) })
          assert.deepEqual(await reader.read(0, bytes), expected, 'a file that is listed is whole')
        }
        for (const ref of finished) {
          assert.ok(
            listed.some(({ name, bytes }) => name === ref.name && bytes === ref.bytes),
            'finished, then lost',
          )
          assert.equal(ref.checksum, formatHash64(hash.hash64(content(Number(ref.name.slice(1))), 0n)))
        }
        assert.ok(!listed.some(({ name }) => name === 'f1'), 'an aborted file is never there')
        assert.deepEqual(
          device.files().filter((path) => !listed.some(({ name }) => path === `files/${name}`)),
          [],
          'no leftover stays',
        )
      },
    }
  })
  assert.ok(operations > 20)
})

test('an acknowledged head survives any end, and so does every head that was read', async () => {
  const operations = await enumerate(() => {
    let [tried, acknowledged] = [0, 0]
    const open = (device: SimulatedDevice, seed: number): Promise<LocalHeadStore> =>
      LocalHeadStore.open({ device, directory: 'heads', hash, random: new SeededRandom(seed) })
    return {
      async work(device) {
        const heads = await open(device, 1)
        let version: HeadVersion | undefined
        for (let index = 1; index <= 4; index++) {
          tried = index
          version = await heads.compareAndSet(SHARD, version, content(index))
          acknowledged = index
        }
      },
      async check(device) {
        const heads = await open(device, 2)
        await heads.removeLeftovers()
        const head = await heads.read(SHARD)
        const index = head === undefined ? 0 : head.content.length - 1500
        assert.ok(index >= acknowledged, `head ${acknowledged} was acknowledged, ${index} is there`)
        assert.ok(index <= tried, `head ${index} is there before it was set`)
        if (head !== undefined) assert.deepEqual(head.content, content(index), 'a head is there whole')
        // Whoever has read it acts on it, and may remove files that the one before refers to.
        const after = await open(device.crash(NOTHING, 1), 3)
        const again = await after.read(SHARD)
        assert.deepEqual(again?.content, head?.content, 'what was read is lost by a power cut')
        const version = await after.compareAndSet(SHARD, again?.version, content(9))
        assert.deepEqual((await after.read(SHARD))?.version, version, 'the next one can be set')
      },
    }
  })
  assert.ok(operations > 30)
})

test('a head whose directory could not be synced has an unknown outcome; once it is read it is durable', async () => {
  let failing = false
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (failing && operation === 'syncDirectory') throw failure('IO_FAILED', operation, path)
    },
  })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random: new SeededRandom(1) })
  const first = await heads.compareAndSet(SHARD, undefined, content(1))
  failing = true
  await assert.rejects(heads.compareAndSet(SHARD, first, content(2)), (error) => isCode(error, 'OUTCOME_UNKNOWN'))
  await assert.rejects(heads.read(SHARD), (error) => isCode(error, 'IO_FAILED'), 'what may vanish is not shown')
  failing = false
  const head = await heads.read(SHARD)
  assert.deepEqual(head?.content, content(2))
  const after = await LocalHeadStore.open({
    device: device.crash(NOTHING, 1),
    directory: 'heads',
    hash,
    random: new SeededRandom(2),
  })
  assert.deepEqual(await after.read(SHARD), head)
})
