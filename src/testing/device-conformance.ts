/** What every device promises, as tests: bytes (device-file-conformance.ts), names (device-name-conformance.ts), refusals. */

import assert from 'node:assert/strict'
import type { Device } from '../kernel/device.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { content, create } from './device-content.ts'
import { testDeviceFiles } from './device-file-conformance.ts'
import { testDeviceNames } from './device-name-conformance.ts'
import { failsWith, failureOf } from './expected-failure.ts'

/** A device for one test. */
export interface DeviceUnderTest {
  /** Empty, but for its root. */
  readonly device: Device
  /** A device over the same files. */
  reopen(options: { readonly readOnly: boolean }): Device
  /** The device after a power cut that lost all that was not synced. */
  powerCut?(): Device
  /** Gives up what it took, when the test has ended. Default: nothing is to be done. */
  dispose?(): Promise<void>
}

/** A device, as its conformance suite is given it. */
export interface DeviceSuite extends ConformanceSuite {
  /** An empty one; called for every test. */
  open(): Promise<DeviceUnderTest>
}

/** Defines one test of a promise. */
export type DevicePromise = (name: string, body: (device: Device, place: DeviceUnderTest) => Promise<void>) => void

/** Everything that could leave the root, or that some file system reads otherwise. */
const PATHS_REFUSED: readonly string[] = [
  '',
  '..',
  '../a',
  'a/../../b',
  '/a',
  'a//b',
  'a/',
  './a',
  'a/./b',
  '.a',
  'a\\b',
  'a\0b',
  'C:',
  'é',
]
/** A test for each promise of a device, over what `suite.open` gives. */
export function testDevice(suite: DeviceSuite): void {
  const promise: DevicePromise = (name, body) => {
    testPromise(suite, name, async () => {
      const place = await suite.open()
      try {
        await body(place.device, place)
      } finally {
        await place.dispose?.()
      }
    })
  }
  testDeviceFiles(promise)
  testDeviceNames(promise)

  promise('what was synced survives a power cut: content, length, and names', async (device, place) => {
    await device.makeDirectory('deep/er')
    const held = await device.openDirectory('deep/er')
    const file = await create(device, 'deep/er/file', [1, 2, 3, 4])
    await create(device, 'renamed', [5]).then((other) => other.sync())
    await file.sync()
    await file.truncate(3)
    await file.sync()
    await device.rename('renamed', 'deep/er/moved')
    await device.link('deep/er/file', 'deep/er/linked')
    await device.syncDirectory('deep/er')
    await device.syncDirectory('.')
    await device.link('deep/er/file', 'deep/er/again')
    await held.sync()
    await held.close()
    assert.ok(place.powerCut !== undefined, 'a place without power cuts skips this test')
    const after = place.powerCut()
    assert.deepEqual(await content(after, 'deep/er/file'), [1, 2, 3], 'synced bytes and length survive')
    assert.deepEqual(await content(after, 'deep/er/linked'), [1, 2, 3], 'a synced link survives')
    assert.deepEqual(await content(after, 'deep/er/again'), [1, 2, 3], 'also one synced by a handle from before it')
    assert.deepEqual(await content(after, 'deep/er/moved'), [5], 'a synced rename survives')
    assert.equal(await after.stat('renamed'), undefined, 'and so does that the old name is gone')
  })

  promise('a directory that is held open is synced as often as it is asked, and closed twice', async (device) => {
    await device.makeDirectory('held')
    const directory = await device.openDirectory('held')
    await create(device, 'held/first', [1])
    await directory.sync()
    await device.unlink('held/first')
    await directory.sync()
    await Promise.all([directory.close(), directory.close()])
    assert.deepEqual(await device.list('held'), [])
  })

  promise('a read-only device reads, and refuses every change with READ_ONLY', async (device, place) => {
    await device.makeDirectory('d')
    await create(device, 'd/file', [1])
    const readOnly = place.reopen({ readOnly: true })
    assert.deepEqual(await content(readOnly, 'd/file'), [1], 'files can be read')
    assert.equal((await readOnly.list('d')).length, 1, 'directories can be listed')
    assert.equal((await readOnly.stat('d/file'))?.bytes, 1, 'files can be looked at')
    await readOnly.space('.')
    const changes: readonly (() => unknown)[] = [
      () => readOnly.open('d/file', 'write'),
      () => readOnly.open('d/new', 'create'),
      () => readOnly.makeDirectory('e'),
      () => readOnly.link('d/file', 'd/other'),
      () => readOnly.rename('d/file', 'd/other'),
      () => readOnly.unlink('d/file'),
      () => readOnly.syncDirectory('d'),
      () => readOnly.openDirectory('d'),
      ...(readOnly.supports.syncRead
        ? [() => readOnly.openSync('d/file', 'write'), () => readOnly.openSync('d/new', 'create')]
        : []),
    ]
    for (const change of changes) await failsWith(change, 'READ_ONLY', `${String(change)} changes nothing`)
    assert.deepEqual(await readOnly.list('d'), [{ name: 'file', directory: false }], 'nothing has changed')
  })

  promise('paths that could leave the root are a TypeError, wherever they are given', async (device) => {
    await create(device, 'file', [1])
    for (const path of PATHS_REFUSED) {
      const calls: readonly (() => unknown)[] = [
        ...(['read', 'write', 'create'] as const).map((mode) => () => device.open(path, mode)),
        () => device.makeDirectory(path),
        () => device.list(path),
        () => device.stat(path),
        () => device.link(path, 'other'),
        () => device.link('file', path),
        () => device.rename(path, 'other'),
        () => device.rename('file', path),
        () => device.unlink(path),
        () => device.syncDirectory(path),
        () => device.openDirectory(path),
        ...(device.supports.syncRead ? [() => device.openSync(path, 'read')] : []),
        ...(device.supports.syncWrite ? [() => device.statSync(path)] : []),
      ]
      for (const call of calls) {
        const error = await failureOf(call, `${String(call)} with ${JSON.stringify(path)}`)
        assert.ok(error instanceof TypeError, `${JSON.stringify(path)} is refused by ${String(call)}: ${String(error)}`)
      }
    }
    assert.deepEqual(await device.list('.'), [{ name: 'file', directory: false }], 'nothing has changed')
  })

  promise('what the device does not support is refused as UNSUPPORTED', async (device) => {
    const file = await create(device, 'file', [1])
    const { syncRead, syncWrite, readNow } = device.supports
    for (const [supported, call] of [
      [syncRead, () => void device.openSync('file', 'read').close()],
      [syncRead, () => file.readSync(new Uint8Array(1), 0)],
      [readNow, () => file.readNow(new Uint8Array(1), 0)],
      [syncWrite, () => device.statSync('file')],
      [syncWrite, () => file.writeSync([new Uint8Array(1)], 0)],
    ] as const) {
      if (supported) call()
      else await failsWith(call, 'UNSUPPORTED', `${String(call)} without the capability`)
    }
    await file.close()
  })

  promise('free space is at most all space', async (device) => {
    const { freeBytes, totalBytes } = await device.space('.')
    assert.ok(freeBytes >= 0 && freeBytes <= totalBytes && totalBytes > 0, `${freeBytes} of ${totalBytes}`)
  })
}
