/** The cache answers with what the store has, or not at all; within its budget; also after a restart. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { equalBytes } from '../../kernel/bytes.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Device } from '../../kernel/device.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { loadHash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import { KIB } from '../../kernel/limits.ts'
import { putFile, randomBytes } from '../../testing/file-model.ts'
import { testFileStore } from '../../testing/file-store-conformance.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import type { FileStore } from '../fs.ts'
import { InterceptedFileStore } from '../intercepted-file-store.ts'
import { LocalFileStore } from '../local-file-store.ts'
import { MemoryFileStore } from '../memory-file-store.ts'
import { NodeDevice } from '../node-device.ts'
import type { StoreCall } from '../store-call.ts'
import { CachedFileStore } from './cached-file-store.ts'
import { DiskCache } from './disk-cache.ts'
import type { DiskCacheSettings } from './settings.ts'

const hash = await loadHash()
const CHUNK = 4 * KIB
const NAME = fileName('shard.e1-j1-a1-1.table')
const READ_ONLY_ONCE = { chunkBytes: CHUNK, keepsWritten: false }

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

/** A store behind a cache, and what the store was asked to read. */
class Place {
  readonly inner = new MemoryFileStore({ hash, syncRead: false })
  readonly reads: StoreCall[] = []
  readonly device: Device
  readonly bytesMax: number
  readonly settings: Partial<DiskCacheSettings>
  #cache: DiskCache | undefined
  #store: FileStore | undefined

  constructor(device: Device, bytesMax: number, settings: Partial<DiskCacheSettings> = READ_ONLY_ONCE) {
    this.device = device
    this.bytesMax = bytesMax
    this.settings = settings
  }

  async open(): Promise<void> {
    this.inner.reopen()
    const { device, bytesMax, settings } = this
    this.#cache = await DiskCache.open({ device, directory: 'cache', bytesMax, hash, settings })
    const counted = new InterceptedFileStore(this.inner, {
      run: (call, proceed) => {
        if (call.operation === 'read') this.reads.push(call)
        return proceed()
      },
      runSync: (_call, proceed) => proceed(),
    })
    this.#store = new CachedFileStore(counted, { cache: this.#cache })
  }

  get cache(): DiskCache {
    assert.ok(this.#cache !== undefined)
    return this.#cache
  }

  get store(): FileStore {
    assert.ok(this.#store !== undefined)
    return this.#store
  }

  async close(): Promise<void> {
    await this.store.close()
    await this.cache.close()
  }

  async read(ref: FileRef, offset = 0, length = ref.bytes): Promise<Uint8Array> {
    const reader = await this.store.open(ref)
    const bytes = await reader.read(offset, length)
    await reader.close()
    await this.cache.idle()
    return bytes
  }

  async bytesOnDisk(): Promise<number> {
    let bytes = 0
    for (const name of ['chunks', 'index']) bytes += (await this.device.stat(`cache/${name}`))?.bytes ?? 0
    return bytes
  }
}

test('what was read once is read from the disk, and after a restart too', async () => {
  const root = await mkdtemp(join(tmpdir(), 'varve-cache-'))
  try {
    const place = new Place(new NodeDevice(root), 100 * CHUNK)
    await place.open()
    const content = randomBytes(1, 50_000)
    const ref = await putFile(place.store, NAME, content)
    assert.ok(equalBytes(await place.read(ref, 100, 10_000), content.subarray(100, 10_100)))
    assert.deepEqual(
      place.reads.map(({ offset, bytes }) => [offset, bytes]),
      [[0, 3 * CHUNK]],
      'whole chunks, with one read',
    )
    await place.read(ref, 200, 12_000)
    assert.equal(place.reads.length, 1, 'they are here now')
    assert.ok(equalBytes(await place.read(ref), content))
    assert.deepEqual(place.reads.at(-1)?.offset, 3 * CHUNK, 'only what is missing is asked for')
    const before = place.reads.length
    await place.close()
    await place.open()
    assert.ok(equalBytes(await place.read(ref), content))
    assert.equal(place.reads.length, before, 'all of it was found again')
    assert.equal(place.cache.usage.hits, Math.ceil(50_000 / CHUNK))
    await place.close()
  } finally {
    await rm(root, { recursive: true })
  }
})

test('what was written is found without being read, and nothing of a file that was not finished', async () => {
  const place = new Place(new SimulatedDevice(), 100 * CHUNK, { chunkBytes: CHUNK })
  await place.open()
  const content = randomBytes(1, 50_000)
  const aborted = await place.store.create(NAME)
  await aborted.write(randomBytes(2, 50_000))
  await aborted.abort()
  await place.cache.idle()
  assert.equal(place.cache.usage.bytes, 0, 'the places are free again')
  const ref = await putFile(place.store, NAME, content)
  await place.cache.idle()
  assert.ok(equalBytes(await place.read(ref), content))
  assert.equal(place.reads.length, 0)
  await place.store.remove([NAME])
  assert.equal(place.cache.usage.bytes, 0, 'what was removed takes no place')
  await place.close()
})

test('the budget holds whatever is read and written, and every answer is right', async () => {
  const bytesMax = 30 * CHUNK
  const place = new Place(new SimulatedDevice(), bytesMax, { chunkBytes: CHUNK })
  await place.open()
  const random = new SeededRandom(7)
  const files: { ref: FileRef; content: Uint8Array }[] = []
  for (let round = 0; round < 150; round++) {
    if (round % 10 === 0) {
      const content = randomBytes(round, 1 + random.below(60_000))
      files.push({ ref: await putFile(place.store, fileName(`file-${round}`), content), content })
    }
    const file = files[random.below(files.length)] as (typeof files)[0]
    const offset = random.below(file.content.length)
    const length = random.below(file.content.length - offset + 1)
    const found = await place.read(file.ref, offset, length)
    assert.ok(equalBytes(found, file.content.subarray(offset, offset + length)), `round ${round}`)
    const bytes = await place.bytesOnDisk()
    assert.ok(bytes <= bytesMax, `${bytes} bytes on the disk in round ${round}`)
    if (round % 40 === 39) {
      await place.close()
      await place.open()
    }
  }
  const { evictions, hits, damaged } = place.cache.usage
  assert.ok(evictions > 20 && hits > 20, `${evictions} evictions, ${hits} hits`)
  assert.equal(damaged, 0)
  await place.close()
})

test('what is used stays, what is not goes; what is read in a stream pushes nothing out', async () => {
  const place = new Place(new SimulatedDevice(), 12 * (CHUNK + 256))
  await place.open()
  const [hot, cold, long] = await Promise.all(
    ['hot', 'cold', 'long'].map((name, index) => putFile(place.inner, fileName(name), randomBytes(index, 10 * CHUNK))),
  )
  assert.ok(hot !== undefined && cold !== undefined && long !== undefined)
  await place.read(hot, 0, 4 * CHUNK)
  for (let chunk = 0; chunk < 10; chunk++) {
    await place.read(cold, chunk * CHUNK, CHUNK)
    await place.read(hot, 0, 4 * CHUNK)
  }
  const streaming = await place.store.open(long, { intent: 'stream' })
  await streaming.read(0, long.bytes)
  await streaming.close()
  const before = place.reads.length
  await place.read(hot, 0, 4 * CHUNK)
  assert.equal(place.reads.length, before, 'it was never evicted')
  await place.read(cold, 0, CHUNK)
  assert.equal(place.reads.length, before + 1, 'it was')
  await place.close()
})

test('many who want the same chunks at once wait for one read', async () => {
  const place = new Place(new SimulatedDevice(), 100 * CHUNK)
  await place.open()
  const content = randomBytes(1, 10 * CHUNK)
  const ref = await putFile(place.inner, NAME, content)
  const reader = await place.store.open(ref)
  const found = await Promise.all(Array.from({ length: 20 }, (_, index) => reader.read(index, 2 * CHUNK)))
  found.forEach((bytes, index) => assert.ok(equalBytes(bytes, content.subarray(index, index + 2 * CHUNK))))
  const bytes = place.reads.reduce((sum, call) => sum + call.bytes, 0)
  assert.ok(bytes <= 3 * CHUNK, `${bytes} bytes were read`)
  await reader.close()
  await place.close()
})

test('wherever its files are damaged, the cache never answers with wrong bytes', async () => {
  const content = randomBytes(1, 6 * CHUNK + 100)
  let damaged = 0
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed)
    const place = new Place(new SimulatedDevice(), 20 * CHUNK)
    await place.open()
    const ref = await putFile(place.inner, NAME, content)
    await place.read(ref)
    await place.close()
    const file = await place.device.open(`cache/${seed % 2 === 0 ? 'chunks' : 'index'}`, 'write')
    const size = await file.size()
    for (let count = 0; count < 3; count++) {
      const at = random.below(size)
      if (seed % 5 === 0) await file.truncate(Math.min(at, await file.size()))
      else await file.write([randomBytes(seed + count, 1 + random.below(300))], at)
    }
    await file.close()
    await place.open()
    for (let round = 0; round < 2; round++) assert.ok(equalBytes(await place.read(ref), content), `seed ${seed}`)
    damaged += place.cache.usage.damaged
    await place.close()
  }
  assert.ok(damaged > 20, `${damaged} damaged chunks were met`)
})

test('a crash at any moment leaves what is right, or nothing', async () => {
  const contents = [1, 2, 3].map((seed) => randomBytes(seed, 5 * CHUNK))
  for (let seed = 0; seed < 30; seed++) {
    let device = new SimulatedDevice()
    const random = new SeededRandom(seed)
    const inner = new MemoryFileStore({ hash, syncRead: false })
    const refs: FileRef[] = []
    for (const [index, content] of contents.entries())
      refs.push(await putFile(inner, fileName(`file-${index}`), content))
    for (let crash = 0; crash < 3; crash++) {
      const place = new Place(device, 8 * CHUNK)
      await place.open()
      for (let round = 0; round < 10; round++) {
        const index = random.below(3)
        const store = new CachedFileStore(inner, { cache: place.cache })
        const reader = await store.open(refs[index] as FileRef)
        const offset = random.below(4 * CHUNK)
        const found = await reader.read(offset, CHUNK)
        assert.ok(equalBytes(found, (contents[index] as Uint8Array).subarray(offset, offset + CHUNK)), `seed ${seed}`)
        await reader.close()
      }
      device = device.crash({ data: 'some', names: 'all' }, random.u32())
    }
  }
})

test('files of the same names in another store are not taken for these', async () => {
  const device = new SimulatedDevice()
  for (const seed of [1, 2]) {
    const place = new Place(device, 100 * CHUNK)
    await place.open()
    const content = randomBytes(seed, 20_000)
    const ref = await putFile(place.inner, NAME, content)
    assert.ok(equalBytes(await place.read(ref), content))
    assert.ok(equalBytes(await place.read(ref), content))
    await place.close()
  }
})

test('two processes in one directory do each other no harm', async () => {
  const device = new SimulatedDevice()
  const [mine, theirs] = [new Place(device, 6 * CHUNK), new Place(device, 6 * CHUNK)]
  await mine.open()
  await theirs.open()
  const contents = [1, 2].map((seed) => randomBytes(seed, 10 * CHUNK))
  const refs = await Promise.all(
    [mine, theirs].map((place, index) => putFile(place.inner, NAME, contents[index] as Uint8Array)),
  )
  for (let round = 0; round < 40; round++) {
    for (const [index, place] of [mine, theirs].entries()) {
      const offset = (round % 4) * CHUNK
      const found = await place.read(refs[index] as FileRef, offset, CHUNK)
      assert.ok(equalBytes(found, (contents[index] as Uint8Array).subarray(offset, offset + CHUNK)), `round ${round}`)
    }
  }
  assert.ok(mine.cache.usage.damaged > 0, 'they did meet')
  await mine.close()
  await theirs.close()
})

test('a disk that fails or is full makes misses, never errors', async () => {
  for (const code of ['IO_FAILED', 'NO_SPACE'] as const) {
    let failing = false
    const device = new SimulatedDevice({
      before: ({ operation }) => {
        if (failing && (operation === 'read' || operation === 'write')) throw new VarveError(code, 'the disk fails')
      },
    })
    const place = new Place(device, 50 * CHUNK, { chunkBytes: CHUNK })
    await place.open()
    const content = randomBytes(1, 10 * CHUNK)
    const ref = await putFile(place.store, NAME, content)
    await place.cache.idle()
    failing = true
    assert.ok(equalBytes(await place.read(ref), content))
    await putFile(place.store, fileName('other'), content)
    await place.cache.idle()
    assert.ok(place.cache.usage.failures > 0, 'it did fail')
    failing = false
    await place.read(ref)
    const before = place.reads.length
    assert.ok(equalBytes(await place.read(ref), content))
    assert.equal(place.reads.length, before, 'afterwards it is a cache again')
    await place.close()
  }
})

test('with less space than the last time the rest is given back, with chunks of another size it begins anew', async () => {
  const device = new SimulatedDevice()
  const place = new Place(device, 50 * CHUNK)
  await place.open()
  const content = randomBytes(1, 40 * CHUNK)
  const ref = await putFile(place.inner, NAME, content)
  await place.read(ref)
  await place.close()
  for (const [bytesMax, chunkBytes] of [
    [10 * CHUNK, CHUNK],
    [40 * CHUNK, 2 * CHUNK],
  ] as const) {
    const other = new Place(device, bytesMax, { chunkBytes, keepsWritten: false })
    await other.open()
    assert.ok((await other.bytesOnDisk()) <= bytesMax)
    await putFile(other.inner, NAME, content)
    assert.ok(equalBytes(await other.read(ref), content))
    assert.ok((await other.bytesOnDisk()) <= bytesMax)
    await other.close()
  }
})
