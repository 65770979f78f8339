import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { KIB } from '../../kernel/limits.ts'
import { testFileStore } from '../../testing/file-store-conformance.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import { LocalFileStore } from '../local-file-store.ts'
import { MemoryFileStore } from '../memory-file-store.ts'
import { CachedFileStore } from './cached-file-store.ts'
import { DiskCache } from './disk-cache.ts'

const hash = await loadHash()
const CHUNK = 4 * KIB

for (const [size, bytesMax] of [
  ['a tiny cache', 5 * CHUNK],
  ['a large cache', 400 * CHUNK],
] as const) {
  testFileStore({
    test,
    name: `files behind ${size}`,
    hash,
    open: () => {
      let device = new SimulatedDevice()
      const caches: DiskCache[] = []
      return Promise.resolve({
        open: async () => {
          const cache = await DiskCache.open({
            device,
            directory: 'cache',
            bytesMax,
            hash,
            settings: { chunkBytes: CHUNK },
          })
          caches.push(cache)
          return new CachedFileStore(await LocalFileStore.open({ device, directory: 'files', hash }), { cache })
        },
        powerCut: () => {
          caches.length = 0
          device = device.crash({ data: 'some', names: 'none' }, 1)
        },
        dispose: async () => {
          for (const cache of caches) await cache.close()
        },
      })
    },
  })
}

test('closing ends when the store behind the cache has closed, and says what that says', async () => {
  const cache = await DiskCache.open({
    device: new SimulatedDevice(),
    directory: 'cache',
    bytesMax: 5 * CHUNK,
    hash,
    settings: { chunkBytes: CHUNK },
  })
  const inner = new MemoryFileStore({ hash })
  let fail = (_reason: Error): void => undefined
  inner.close = () => new Promise((_resolve, reject) => (fail = reject))
  let isClosed = false
  const closed = assert
    .rejects(new CachedFileStore(inner, { cache }).close(), /cannot be closed/)
    .then(() => (isClosed = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isClosed, false)
  fail(new Error('cannot be closed'))
  await closed
  await cache.close()
})
