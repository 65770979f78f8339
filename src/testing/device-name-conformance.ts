/** What every device promises of names, as tests: the part of testDevice about directories. */

import assert from 'node:assert/strict'
import type { DeviceFile } from '../kernel/device.ts'
import type { DevicePromise } from './device-conformance.ts'
import { bytesOf, content, create } from './device-content.ts'
import { failsWith } from './expected-failure.ts'

export function testDeviceNames(promise: DevicePromise): void {
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
    await failsWith(() => device.openDirectory('missing'), 'NOT_FOUND', 'what is to be opened must be there')
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
