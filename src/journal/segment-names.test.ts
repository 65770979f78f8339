/** Names are durable once the directory has been synced, and not before. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, DeviceFile } from '../kernel/device.ts'
import { SegmentNames } from './segment-names.ts'

/** A directory whose sync ends when the test says so, and what was asked of it. */
class HeldDirectory {
  readonly asked: string[] = []
  #end: { resolve(): void; reject(error: Error): void } | undefined

  get device(): Device {
    const directory = {
      sync: () => {
        this.asked.push('sync')
        return new Promise<void>((resolve, reject) => (this.#end = { resolve, reject }))
      },
      close: () => {
        this.asked.push('close')
        return Promise.resolve()
      },
    }
    const device: Pick<Device, 'openDirectory' | 'open'> = {
      openDirectory: () => {
        this.asked.push('open')
        return Promise.resolve(directory)
      },
      open: () => Promise.resolve({} as DeviceFile),
    }
    return device as Device
  }

  end(error?: Error): void {
    if (error === undefined) this.#end?.resolve()
    else this.#end?.reject(error)
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a sync of names ends when that of the directory has ended, which is open until then', async () => {
  const directory = new HeldDirectory()
  const names = new SegmentNames(directory.device, 'journal')
  await names.create('journal/1')
  let isSynced = false
  const synced = names.sync().then(() => (isSynced = true))
  await turn()
  assert.equal(isSynced, false)
  assert.deepEqual(directory.asked, ['open', 'sync'])
  directory.end()
  await synced
  assert.deepEqual(directory.asked, ['open', 'sync', 'close'])
  await names.sync()
  assert.deepEqual(directory.asked, ['open', 'sync', 'close'], 'there is no name that it lacks')
})

test('who syncs names hears that it has failed', async () => {
  const directory = new HeldDirectory()
  const names = new SegmentNames(directory.device, 'journal')
  await names.create('journal/1')
  const failed = assert.rejects(names.sync(), /worn out/)
  directory.end(new Error('worn out'))
  await failed
  assert.deepEqual(directory.asked, ['open', 'sync', 'close'])
})

test('of several names that were not synced one directory is held, and let go when nobody syncs them', async () => {
  const directory = new HeldDirectory()
  const names = new SegmentNames(directory.device, 'journal')
  await names.create('journal/1')
  await names.create('journal/2')
  assert.deepEqual(directory.asked, ['open', 'open', 'close'])
  await names.close()
  await names.close()
  assert.deepEqual(directory.asked, ['open', 'open', 'close', 'close'])
})
