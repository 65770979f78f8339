/** What an open directory of the Node device does beyond its port. */

import assert from 'node:assert/strict'
import nodeFs from 'node:fs'
import os from 'node:os'
import { mock, test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
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
