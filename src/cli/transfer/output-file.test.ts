import assert from 'node:assert/strict'
import { open, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { OutputFile } from './output-file.ts'

test('an export is durable, and so is its name, once it is finished; until then it has none', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'varve-output-file-'))
  context.after(() => rm(folder, { recursive: true }))
  const handle = await open(folder)
  const handles = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const synced: (readonly [boolean, string])[] = []
  mock.method(handles, 'sync', async function (this: FileHandle) {
    synced.push([(await this.stat()).isDirectory(), (await readdir(folder)).join()])
  })
  context.after(() => mock.restoreAll())
  const file = await OutputFile.create(join(folder, 'out'), false)
  await file.write('text')
  await file.finish()
  const partial = `out.part-${process.pid}`
  assert.deepEqual(synced, [
    [false, partial],
    [true, 'out'],
  ])
  assert.equal(await readFile(join(folder, 'out'), 'utf8'), 'text')
})
