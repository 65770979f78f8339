/** Whatever becomes of its files, the cache answers with what the store has. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../../src/kernel/bytes.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { CachedFileStore } from '../../src/fs/cache/cached-file-store.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { putFile, randomBytes } from '../../src/testing/file-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { CHUNK, CachedPlace } from './cached-place.ts'

const hash = await loadHash()
const NAME = fileName('shard.e1-j1-a1-1.table')

test('wherever its files are damaged, the cache never answers with wrong bytes', async () => {
  const content = randomBytes(1, 6 * CHUNK + 100)
  let damaged = 0
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed)
    const place = new CachedPlace(new SimulatedDevice(), 20 * CHUNK)
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
      const place = new CachedPlace(device, 8 * CHUNK)
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
    const place = new CachedPlace(device, 100 * CHUNK)
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
  const [mine, theirs] = [new CachedPlace(device, 6 * CHUNK), new CachedPlace(device, 6 * CHUNK)]
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
    const place = new CachedPlace(device, 50 * CHUNK, { chunkBytes: CHUNK })
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
  const place = new CachedPlace(device, 50 * CHUNK)
  await place.open()
  const content = randomBytes(1, 40 * CHUNK)
  const ref = await putFile(place.inner, NAME, content)
  await place.read(ref)
  await place.close()
  for (const [bytesMax, chunkBytes] of [
    [10 * CHUNK, CHUNK],
    [40 * CHUNK, 2 * CHUNK],
  ] as const) {
    const other = new CachedPlace(device, bytesMax, { chunkBytes, keepsWritten: false })
    await other.open()
    assert.ok((await other.bytesOnDisk()) <= bytesMax)
    await putFile(other.inner, NAME, content)
    assert.ok(equalBytes(await other.read(ref), content))
    assert.ok((await other.bytesOnDisk()) <= bytesMax)
    await other.close()
  }
})
