import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import { MemoryFileStore } from '../memory-file-store.ts'
import { HostedWriter } from './hosted-writer.ts'

const hash = await loadHash()
const NAME = fileName('s.e1-j1-a1-1.table')

test('a piece that was written is not written again, and one that does not follow the last is refused', async () => {
  const store = new MemoryFileStore({ hash })
  const writer = new HostedWriter(await store.create(NAME))
  await writer.write(0, Uint8Array.of(1, 2))
  await writer.write(0, Uint8Array.of(1, 2))
  assert.throws(() => writer.write(3, Uint8Array.of(4)), { code: 'IO_FAILED' }, 'what is before it is missing')
  assert.throws(() => writer.write(1, Uint8Array.of(2, 3)), { code: 'IO_FAILED' }, 'a part of it is there')
  await writer.write(2, Uint8Array.of(3))
  const [bytes, checksum] = await writer.finish()
  assert.throws(() => writer.write(3, Uint8Array.of(4)), { code: 'IO_FAILED' }, 'it is finished')
  assert.deepEqual(await writer.finish(), [bytes, checksum])
  const reader = await store.open({ name: NAME, bytes, checksum })
  assert.deepEqual([...(await reader.read(0, bytes))], [1, 2, 3])
  await reader.close()
  await store.close()
})
