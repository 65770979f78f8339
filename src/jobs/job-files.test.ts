import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { portableResult } from './job-data.ts'
import { JobFiles } from './job-files.ts'
import { resolveQueueSettings } from './queue-settings.ts'
import { resolveWorkerSettings } from './worker-settings.ts'

const hash = await loadHash()

test('a job sees the store it works in, creates under its prefix only, removes nothing, and leaves nothing unfinished', async () => {
  const store = new MemoryFileStore({ hash })
  const files = new JobFiles(store, 'job-1-')
  assert.deepEqual(
    [files.name, files.supports, files.pendingBytes, files.pendingBytesMax, await files.freeBytes()],
    [store.name, store.supports, store.pendingBytes, store.pendingBytesMax, await store.freeBytes()],
  )
  await files.ready()
  const name = fileName('job-1-output')
  const writer = await files.create(name)
  await writer.write(Buffer.from('content'))
  const ref = await writer.finish()
  await assert.rejects(files.create(fileName('other')), { code: 'PERMISSION_DENIED' })
  await assert.rejects(files.remove([name]), { code: 'PERMISSION_DENIED' })
  const unfinished = await files.create(fileName('job-1-unfinished'))
  const reader = files.openSync(ref)
  assert.equal(Buffer.from(await reader.read(0, 7)).toString(), 'content')
  await files.close()
  await assert.rejects(reader.read(0, 1), { code: 'CLOSED' })
  await assert.rejects(unfinished.write(Buffer.from('late')), { code: 'CLOSED' })
  assert.deepEqual(
    (await files.list()).map((info) => info.name),
    [name],
  )
})

test('an answer of another shape, or with files of others, is rejected', async () => {
  const files = new JobFiles(new MemoryFileStore({ hash }), 'job-1-')
  await (await files.create(fileName('job-1-a'))).finish()
  const ref = { name: 'job-1-a', bytes: 0, checksum: '' }
  const meta = new Uint8Array(0)
  const answer = (...outputs: unknown[]): unknown => ({ outputs, statistics: {} })
  for (const wrong of [
    undefined,
    7,
    { outputs: [] },
    { outputs: {}, statistics: {} },
    answer(null),
    answer({ meta }),
    answer({ ref }),
    answer({ ref: { ...ref, name: 'job-2-a' }, meta }),
  ])
    assert.throws(
      () => portableResult(wrong, files),
      (error) => isCode(error, 'JOB_REJECTED'),
    )
  assert.equal(portableResult(answer({ ref, meta }), files).outputs.length, 1)
})

test('labels that are no texts, and times that are none, are refused by name', () => {
  assert.throws(() => resolveQueueSettings({ labels: [7] as never }), /labels must be an array of strings/)
  assert.throws(() => resolveQueueSettings({ labels: 'gpu' as never }), /labels must be an array of strings/)
  for (const wrong of [-1, 3_600_001])
    assert.throws(() => resolveWorkerSettings({ idleMs: wrong }), /RangeError: idleMs must be 0…/)
})
