/** The cache answers with what the store has, within its budget, also after a restart. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { equalBytes } from '../../src/kernel/bytes.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { putFile, randomBytes } from '../../src/testing/file-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { CHUNK, CachedPlace } from './cached-place.ts'

const NAME = fileName('shard.e1-j1-a1-1.table')

test('what was read once is read from the disk, and after a restart too', async () => {
  const root = await mkdtemp(join(tmpdir(), 'varve-cache-'))
  try {
    const place = new CachedPlace(new NodeDevice(root), 100 * CHUNK)
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
  const place = new CachedPlace(new SimulatedDevice(), 100 * CHUNK, { chunkBytes: CHUNK })
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
  const place = new CachedPlace(new SimulatedDevice(), bytesMax, { chunkBytes: CHUNK })
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
  const place = new CachedPlace(new SimulatedDevice(), 12 * (CHUNK + 256))
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
  const place = new CachedPlace(new SimulatedDevice(), 100 * CHUNK)
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
