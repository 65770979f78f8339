/** What opening a directory leaves as it was, and what it takes away. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { destroy } from '../src/local-destroy.ts'
import { open } from '../src/local.ts'

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-opening-'))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

async function made(name: string): Promise<string> {
  const directory = path.join(scratch, name)
  await (await open(directory, { jobs: 'inline' })).close()
  return directory
}

test('a directory whose opening failed on its way is not locked by it', async () => {
  const directory = await made('failed')
  const wrapper = {
    module: { wrap: () => Promise.reject(new Error('it cannot be wrapped')) },
    url: new URL('file:///nowhere.js'),
    export: 'wrap',
  }
  await assert.rejects(open(directory, { jobs: 'inline', wrappers: [wrapper] }), /cannot be wrapped/)
  await (await open(directory, { jobs: 'inline' })).close()
})

test('what its owner has not finished stays where a directory is opened to read, and goes with the next owner', async () => {
  const directory = await made('unfinished')
  const unfinished = path.join(directory, 'files', 'main.e1-j1-a1-0.table.UNFINISHED')
  fs.writeFileSync(unfinished, 'half')
  await (await open(directory, { readOnly: true, jobs: 'inline' })).close()
  assert.ok(fs.existsSync(unfinished))
  await (await open(directory, { jobs: 'inline' })).close()
  assert.ok(!fs.existsSync(unfinished))
})

test('a reserve that is not wanted any more is given back, and one that is there goes with the database', async () => {
  const directory = await made('reserved')
  const reserve = path.join(directory, 'reserve')
  fs.writeFileSync(reserve, new Uint8Array(1000))
  await (await open(directory, { reserveBytes: 0, jobs: 'inline' })).close()
  assert.ok(!fs.existsSync(reserve))
  fs.writeFileSync(reserve, new Uint8Array(1000))
  await destroy(directory)
  assert.ok(!fs.existsSync(directory))
})
