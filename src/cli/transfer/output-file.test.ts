import assert from 'node:assert/strict'
import { open, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { NodeProcessTable } from '../../fs/node-process-table.ts'
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
  const partial = `out.varve-part-${process.pid}-${new NodeProcessTable().self().startedAt}`
  assert.deepEqual(synced, [
    [false, partial],
    [true, 'out'],
  ])
  assert.equal(await readFile(join(folder, 'out'), 'utf8'), 'text')
})

// It stayed for ever; and in a container, where numbers are the same every time, kept the next export from its own.
test('what killed exports to a name have left is removed by the next one, and nothing of others', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'varve-output-file-'))
  context.after(() => rm(folder, { recursive: true }))
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const { pid, startedAt } = new NodeProcessTable().self()
  // Killed: another process, and one that had our number before us.
  const left = [
    `out.varve-part-${dead}-17`,
    `out.varve-part-${dead}-`,
    `out.varve-part-${pid}-${Number(startedAt) + 1}`,
  ]
  const kept = [
    `out.varve-part-${process.ppid}-`,
    `other.varve-part-${dead}-17`,
    `ten.varve-part-${dead}-17`,
    `out.varve-part-${dead}-17.jsonl`,
    'out.part-1',
  ]
  for (const name of [...(startedAt === '' ? left.slice(0, 2) : left), ...kept])
    await writeFile(join(folder, name), 'half')
  const file = await OutputFile.create(join(folder, 'out'), false)
  await file.write('text')
  await file.finish()
  assert.deepEqual((await readdir(folder)).sort(), ['out', ...kept].sort())
})
