/** An encrypted database that is damaged: what is whole is saved, encrypted again; without its keys nothing is touched. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isCode } from '../src/kernel/errors.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

const COMMAND = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const SETTINGS = { memtableBytes: 65_536, tableBytes: 8192, blockBytes: 512 }
const FIRST = { id: 'first', secret: new Uint8Array(32).fill(1) }
const SECOND = { id: 'second', secret: new Uint8Array(32).fill(2) }
const COUNT = 300

async function makeDatabase(parent: string): Promise<string> {
  const directory = path.join(parent, 'damaged')
  let db = await open(directory, { encryption: { keys: [FIRST] }, settings: SETTINGS, jobs: 'inline' })
  const put = (from: number, to: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: to - from }, (_, index) =>
        db.put(keyOf(from + index), Buffer.from(`secret ${from + index}`.padEnd(80))),
      ),
    )
  await put(0, COUNT / 2)
  await db.compactRange()
  await db.close()
  // Tables of two keys; the last writes are in the journal only.
  db = await open(directory, { encryption: { keys: [SECOND, FIRST] }, settings: SETTINGS, jobs: 'inline' })
  await put(COUNT / 2, COUNT - 20)
  await db.flush()
  await put(COUNT - 20, COUNT)
  await db.close()
  return directory
}

function keyOf(index: number): Buffer {
  return Buffer.from(`key/${String(index).padStart(4, '0')}`)
}

function filesOf(directory: string): Map<string, string> {
  const names = fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => fs.statSync(path.join(directory, name)).isFile())
  return new Map(files.map((name) => [name, fs.readFileSync(path.join(directory, name), 'latin1')]))
}

function damage(directory: string): void {
  const [table = ''] = [...filesOf(directory).keys()].filter((name) => name.endsWith('.table'))
  const file = path.join(directory, table)
  const bytes = fs.readFileSync(file)
  // Within the first chunk, behind its header.
  bytes[200] = (bytes[200] as number) ^ 4
  fs.writeFileSync(file, bytes)
}

async function withDatabase(work: (directory: string, parent: string) => Promise<void>): Promise<void> {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-'))
  try {
    await work(await makeDatabase(parent), parent)
  } finally {
    fs.rmSync(parent, { recursive: true, force: true })
  }
}

test('what is whole of an encrypted database is saved, under the first of the keys given, and the rest is named', () =>
  withDatabase(async (directory, parent) => {
    const encryption = { keys: [SECOND, FIRST] }
    const whole = await repair(directory, path.join(parent, 'whole'), { encryption })
    assert.deepEqual([whole.entries, whole.losses, whole.headFound], [COUNT, [], true])
    damage(directory)
    const before = filesOf(directory)
    const target = path.join(parent, 'saved')
    const { entries, losses, headFound } = await repair(directory, target, { encryption })
    assert.deepEqual(filesOf(directory), before, 'the damaged one was changed')
    assert.ok(headFound && losses.length > 0 && losses.every(({ file }) => file.endsWith('.table')))
    assert.ok(entries >= COUNT / 2 && entries < COUNT, `${entries} entries`)
    await assert.rejects(open(target, { encryption: { keys: [FIRST] } }), (error) => isCode(error, 'WRONG_KEY'))
    const db = await open(target, { encryption: { keys: [SECOND] }, jobs: 'inline' })
    assert.equal(
      Buffer.from((await db.get(keyOf(COUNT - 1))) ?? [])
        .toString()
        .trim(),
      `secret ${COUNT - 1}`,
    )
    await db.close()
  }))

test('without the keys of an encrypted database, or with others, repair says so and has written nothing', () =>
  withDatabase(async (directory, parent) => {
    damage(directory)
    const before = filesOf(directory)
    const target = path.join(parent, 'saved')
    const other = { ...SECOND, secret: new Uint8Array(32).fill(9) }
    for (const keys of [[other, FIRST], [FIRST], [SECOND], [SECOND, { ...FIRST, secret: other.secret }]]) {
      await assert.rejects(repair(directory, target, { encryption: { keys } }), (error) => isCode(error, 'WRONG_KEY'))
    }
    await assert.rejects(repair(directory, target), (error) => isCode(error, 'INCOMPATIBLE'))
    assert.ok(!fs.existsSync(target), 'something was written')
    assert.deepEqual(filesOf(directory), before)
  }))

test('varve repair takes keys from a file, and shows nothing that is in it', () =>
  withDatabase(async (directory, parent) => {
    const file = path.join(parent, 'keys.json')
    const run = (name: string, content: unknown) => {
      fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [COMMAND, 'repair', directory, path.join(parent, name), '--keys', file],
        { encoding: 'utf8' },
      )
      return { status, text: stdout + stderr }
    }
    const listed = [SECOND, FIRST].map(({ id, secret }) => ({ id, secret: Buffer.from(secret).toString('base64') }))
    const saved = run('saved', listed)
    assert.equal(saved.status, 0, saved.text)
    assert.match(saved.text, /^Result: nothing was lost: 300 entries/m)
    const missing = run('missing', listed.slice(0, 1))
    assert.notEqual(missing.status, 0)
    assert.match(missing.text, /encrypted with key first, which was not given/)
    for (const wrong of ['hush hush', [{ id: 'a', secret: 'hush hush' }], [], { id: 'hush hush' }]) {
      const { status, text } = run('refused', wrong)
      assert.notEqual(status, 0)
      assert.match(text, /keys.json must be a list of \{ id, secret \}/)
      assert.ok(!text.includes('hush'), text)
    }
  }))
