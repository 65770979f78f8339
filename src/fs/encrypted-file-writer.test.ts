import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { EncryptedFileStore } from './encrypted-file-store.ts'
import { CHUNK_BYTES } from './encrypted-layout.ts'
import { KeyRing } from './key-ring.ts'
import { MemoryFileStore } from './memory-file-store.ts'

const hash = await loadHash()
const NAME = fileName('a')

test('an encrypted file of which a piece could not be written is never finished, and its name can be used once it is aborted', async () => {
  const inner = new MemoryFileStore({ hash })
  const create = inner.create.bind(inner)
  let failing = 2
  inner.create = async (...given) => {
    const writer = await create(...given)
    const write = writer.write.bind(writer)
    writer.write = async (bytes) => {
      if (--failing === 0) throw new Error('no room')
      return write(bytes)
    }
    return writer
  }
  const keys = new KeyRing([{ id: 'key', secret: Buffer.alloc(32, 7) }])
  const store = new EncryptedFileStore(inner, { keys, random: new SeededRandom(1), hash })
  const chunk = new Uint8Array(CHUNK_BYTES + 1)
  const writer = await store.create(NAME)
  await assert.rejects(async () => {
    for (let count = 0; count < 5; count++) await writer.write(chunk)
  }, /no room/)
  await assert.rejects(writer.write(chunk))
  await assert.rejects(writer.finish())
  assert.deepEqual(await inner.list(NAME), [])
  await writer.abort()
  const again = await store.create(NAME)
  await again.write(chunk)
  const ref = await again.finish()
  assert.equal((await (await store.open(ref)).read(0, ref.bytes)).length, chunk.length)
})
