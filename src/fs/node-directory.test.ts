/** What an open directory of the Node device does beyond its port, and the length of an open file. */

import assert from 'node:assert/strict'
import nodeFs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { mock, test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { NodeDevice } from './node-device.ts'
import { NodeDirectory } from './node-directory.ts'

type Callback = (error: Error | null) => void

test('a directory is closed once its syncs are over: its number may be another file’s next', async (context) => {
  const directory = NodeDirectory.open(os.tmpdir(), 'a directory')
  context.after(() => mock.restoreAll())
  const waiting: Callback[] = []
  mock.method(nodeFs, 'fsync', (_fd: number, done: Callback) => void waiting.push(done))
  const closes = mock.method(nodeFs, 'closeSync')
  const syncs = [directory.sync(), directory.sync().catch((error: unknown) => error)]
  const closed = directory.close()
  assert.equal(directory.close(), closed, 'once')
  waiting[0]?.(null)
  await syncs[0]
  assert.equal(closes.mock.callCount(), 0, 'one is under way')
  waiting[1]?.(Object.assign(new Error('simulated'), { code: 'EIO' }))
  assert.ok(isCode(await syncs[1], 'IO_FAILED'))
  await closed
  assert.equal(closes.mock.callCount(), 1)
})

test('a close that fails says so, and is not tried again', async (context) => {
  context.after(() => mock.restoreAll())
  const directory = NodeDirectory.open(os.tmpdir(), 'a directory')
  const closes = mock.method(nodeFs, 'closeSync', () => {
    throw Object.assign(new Error('simulated'), { code: 'EIO' })
  })
  await failsWith(() => directory.close(), 'IO_FAILED', 'close')
  await failsWith(() => directory.close(), 'IO_FAILED', 'close again')
  assert.equal(closes.mock.callCount(), 1)
})

test('the length of a file that the system cannot tell is a failure that names the file', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'varve-node-length-'))
  context.after(async () => {
    mock.restoreAll()
    await rm(folder, { recursive: true })
  })
  const file = await new NodeDevice(folder).open('file', 'create')
  mock.method(nodeFs, 'fstatSync', () => {
    throw Object.assign(new Error('simulated'), { code: 'EIO' })
  })
  const error = await failsWith(() => file.size(), 'IO_FAILED', 'size')
  assert.deepEqual(error.details, { path: 'file', operation: 'stat', errno: 'EIO' })
  mock.restoreAll()
  assert.equal(await file.size(), 0)
  await file.close()
  await failsWith(() => file.size(), 'CLOSED', 'of a file that is closed')
})
