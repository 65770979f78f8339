/** What every device promises, as tests: files (device-file-conformance.ts), names, and their failures. */
import assert from 'node:assert/strict'
import type { Device, DeviceFile } from '../kernel/device.ts'
import { testDeviceFiles } from './device-file-conformance.ts'
import { failsWith, failureOf } from './expected-failure.ts'

export interface DeviceUnderTest {
  /** Empty, but for its root. */
  readonly device: Device
  /** A device over the same files. */
  reopen(options: { readonly readOnly: boolean }): Device
  /** The device after a power cut that lost all that was not synced. */
  powerCut?(): Device
  dispose?(): Promise<void>
}

export interface DeviceSuite {
  readonly test: (name: string, options: { skip?: string }, body: () => Promise<void>) => unknown
  /** Stands before every test's name. */
  readonly name: string
  open(): Promise<DeviceUnderTest>
  readonly skip?: readonly { readonly test: string; readonly reason: string }[]
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
export function testDevice(suite: DeviceSuite): void {
  const promise: DevicePromise = (name, body) => {
    const skipped = suite.skip?.find((candidate) => candidate.test === name)
    suite.test(`${suite.name}: ${name}`, skipped === undefined ? {} : { skip: skipped.reason }, async () => {
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
    const file = await create(device, 'deep/er/file', [1, 2, 3, 4])
    await create(device, 'renamed', [5]).then((other) => other.sync())
    await file.sync()
    await file.truncate(3)
    await file.sync()
    await device.rename('renamed', 'deep/er/moved')
    await device.link('deep/er/file', 'deep/er/linked')
    await device.syncDirectory('deep/er')
    await device.syncDirectory('.')
    assert.ok(place.powerCut !== undefined, 'a place without power cuts skips this test')
    const after = place.powerCut()
    assert.deepEqual(await content(after, 'deep/er/file'), [1, 2, 3], 'synced bytes and length survive')
    assert.deepEqual(await content(after, 'deep/er/linked'), [1, 2, 3], 'a synced link survives')
    assert.deepEqual(await content(after, 'deep/er/moved'), [5], 'a synced rename survives')
    assert.equal(await after.stat('renamed'), undefined, 'and so does that the old name is gone')
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
    const { syncRead, syncWrite } = device.supports
    for (const [supported, call] of [
      [syncRead, () => void device.openSync('file', 'read').close()],
      [syncRead, () => file.readSync(new Uint8Array(1), 0)],
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

function testDeviceNames(promise: DevicePromise): void {
  promise('a name is created once; what is to be opened must be there', async (device) => {
    await create(device, 'file', [1])
    const taken = await failsWith(() => device.open('file', 'create'), 'EXISTS', 'a name is created once')
    assert.equal(taken.details['path'], 'file', 'the error names the path')
    assert.equal(taken.details['operation'], 'open', 'the error names the operation')
    assert.deepEqual(await content(device, 'file'), [1], 'a refused creation changes nothing')
    for (const mode of ['read', 'write'] as const) {
      await failsWith(() => device.open('missing', mode), 'NOT_FOUND', `${mode} needs a file`)
      await failsWith(() => device.open('missing/file', mode), 'NOT_FOUND', `${mode} needs a directory`)
    }
    await failsWith(() => device.open('missing/file', 'create'), 'NOT_FOUND', 'a directory is not made by the way')
    const racing = Array.from({ length: 8 }, () => device.open('raced', 'create').then(close, () => 'refused'))
    const won = (await Promise.all(racing)).filter((outcome) => outcome !== 'refused')
    assert.equal(won.length, 1, 'of several who create a name one succeeds')
  })

  promise('directories are made with their parents, again and again, and hold what is in them', async (device) => {
    await Promise.all([device.makeDirectory('a/b/c'), device.makeDirectory('a/b/c'), device.makeDirectory('a/b/d')])
    await device.makeDirectory('a/b/c')
    await device.makeDirectory('.')
    await create(device, 'a/b/file', [1])
    const found = [...(await device.list('a/b'))].sort((one, other) => (one.name < other.name ? -1 : 1))
    assert.deepEqual(
      found,
      [
        { name: 'c', directory: true },
        { name: 'd', directory: true },
        { name: 'file', directory: false },
      ],
      'a listing has every entry once, and tells directories',
    )
    assert.deepEqual(await device.list('a/b/c'), [], 'a new directory is empty')
    await failsWith(() => device.list('missing'), 'NOT_FOUND', 'what is to be listed must be there')
    await failsWith(() => device.syncDirectory('missing'), 'NOT_FOUND', 'what is to be synced must be there')
    await failsWith(() => device.makeDirectory('a/b/file'), 'EXISTS', 'a file is no directory')
    await failsWith(() => device.open('a/b/c', 'create'), 'EXISTS', 'a directory is no free name')
    await failsWith(() => device.link('a/b/file', 'a/b/c'), 'EXISTS', 'nor for a link')
  })

  promise('stat tells the length, and files apart', async (device) => {
    const file = await create(device, 'one', [1, 2, 3])
    await create(device, 'other', [1, 2, 3])
    const [one, other] = [await device.stat('one'), await device.stat('other')]
    assert.deepEqual([one?.bytes, other?.bytes], [3, 3], 'bytes is the length')
    assert.notEqual(one?.identity, other?.identity, 'two files have two identities')
    await file.write([new Uint8Array(4)], 1)
    assert.deepEqual(await device.stat('one'), { bytes: 5, identity: one?.identity }, 'a file keeps its identity')
    assert.equal(await device.stat('missing'), undefined, 'there is nothing to say of a missing file')
    assert.equal(await device.stat('missing/file'), undefined, 'nor in a missing directory')
    if (device.supports.syncWrite) {
      assert.deepEqual(device.statSync('one'), await device.stat('one'), 'statSync says the same')
      assert.equal(device.statSync('missing'), undefined, 'also of a missing file')
      assert.equal(device.statSync('missing/file'), undefined, 'also in a missing directory')
    }
  })

  promise('a link is a second name of the same file, and takes no name that is taken', async (device) => {
    const file = await create(device, 'one', [1, 2])
    await create(device, 'taken', [9])
    await device.link('one', 'two')
    await file.write([Uint8Array.of(7)], 0)
    assert.deepEqual(await content(device, 'two'), [7, 2], 'content is shared')
    assert.equal((await device.stat('one'))?.identity, (await device.stat('two'))?.identity, 'identity is shared')
    for (const created of ['taken', 'one', 'two'])
      await failsWith(() => device.link('one', created), 'EXISTS', `link to ${created}, which is taken`)
    assert.deepEqual(await content(device, 'taken'), [9], 'a refused link changes nothing')
    await failsWith(() => device.link('missing', 'three'), 'NOT_FOUND', 'what is to be linked must be there')
    await failsWith(() => device.link('one', 'missing/two'), 'NOT_FOUND', 'so must the directory')
    await device.unlink('one')
    assert.deepEqual(await content(device, 'two'), [7, 2], 'a file lives while it has a name')
    const racing = Array.from({ length: 8 }, () => device.link('two', 'raced').then(Boolean, () => true))
    assert.equal((await Promise.all(racing)).filter((refused) => !refused).length, 1, 'of several links one succeeds')
  })

  promise('a rename moves a file and replaces what had the name', async (device) => {
    const replaced = await create(device, 'target', [1])
    await create(device, 'source', [2, 3])
    await device.makeDirectory('d')
    const identity = (await device.stat('source'))?.identity
    await device.rename('source', 'target')
    assert.deepEqual(await content(device, 'target'), [2, 3], 'the content has moved')
    assert.equal((await device.stat('target'))?.identity, identity, 'it is the same file')
    assert.equal(await device.stat('source'), undefined, 'the old name is gone')
    assert.deepEqual(await bytesOf(replaced), [1], 'who had the replaced file open goes on reading')
    await device.rename('target', 'd/moved')
    assert.deepEqual(await content(device, 'd/moved'), [2, 3], 'also into another directory')
    await device.rename('d/moved', 'd/moved')
    await device.link('d/moved', 'd/again')
    await device.rename('d/moved', 'd/again')
    assert.equal((await device.list('d')).length, 2, 'two names of one file stay two, as POSIX has it')
    await failsWith(() => device.rename('missing', 'other'), 'NOT_FOUND', 'what is to be renamed must be there')
  })

  promise('an unlinked file is gone from its directory, not from who has it open', async (device) => {
    const file = await create(device, 'file', [1, 2])
    await device.unlink('file')
    assert.equal(await device.stat('file'), undefined, 'the name is gone')
    await failsWith(() => device.unlink('file'), 'NOT_FOUND', 'what is to be unlinked must be there')
    await file.write([Uint8Array.of(3)], 2)
    await file.sync()
    assert.deepEqual(await bytesOf(file), [1, 2, 3], 'an open file can be read, written and synced')
    await create(device, 'file', [])
    assert.deepEqual(await content(device, 'file'), [], 'the name can be used again, by another file')
  })
}

const close = (file: DeviceFile): Promise<void> => file.close()

/** A new file of these bytes, open. */
async function create(device: Device, path: string, bytes: readonly number[]): Promise<DeviceFile> {
  const file = await device.open(path, 'create')
  await file.write([Uint8Array.from(bytes)], 0)
  return file
}

async function content(device: Device, path: string): Promise<number[]> {
  const file = await device.open(path, 'read')
  try {
    return await bytesOf(file)
  } finally {
    await file.close()
  }
}

async function bytesOf(file: DeviceFile): Promise<number[]> {
  const bytes = new Uint8Array((await file.size()) + 1)
  const length = await file.read(bytes, 0)
  return [...bytes.subarray(0, length)]
}
