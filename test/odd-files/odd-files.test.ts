/** Pipes, sockets, directories, links that lead nowhere and devices in the place of files: an error that names them, at once. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { open } from '../../src/local.ts'
import { failsWith, failureOf } from '../../src/testing/expected-failure.ts'
import { Workplace } from '../cli/varve-process.ts'
import { makeSpecimens } from '../corruption/specimen.ts'

const [closed, , spilled] = await makeSpecimens()
assert.ok(closed !== undefined && spilled !== undefined)

const temporary = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-odd-'))
after(() => fs.rm(temporary, { recursive: true, force: true }))

/** The newest of each. */
const ROLES: Readonly<Record<string, RegExp>> = {
  head: /^heads\/main\.head/,
  manifest: /\.manifest$/,
  table: /\.table$/,
  segment: /\.log$/,
  fence: /fence\./,
  witness: /synced\./,
}

type Put = (full: string, context: TestContext) => Promise<unknown>

/** What may be there in place of a file. */
const THINGS: Readonly<Record<string, Put>> = {
  'a directory': (full) => fs.mkdir(full),
  'a pipe': async (full) => Promise.resolve(execFileSync('mkfifo', [full])),
  'a socket': (full, context) => {
    const server = net.createServer()
    context.after(() => void server.close())
    return new Promise((resolve) => server.listen(full, () => resolve(undefined)))
  },
  'a link that dangles': (full) => fs.symlink('nowhere', full),
  'a link that loops': (full) => fs.symlink(path.basename(full), full),
  'a device': async (full) => Promise.resolve(execFileSync('mknod', [full, 'c', '1', '5'], { stdio: 'pipe' })),
}

/** Where the thing cannot be made here, such as a device by who is not root, the test is skipped. */
async function canPut(put: Put, full: string, context: TestContext): Promise<boolean> {
  try {
    await put(full, context)
    return true
  } catch (error) {
    context.skip(`it cannot be made here: ${String(error)}`)
    return false
  }
}

/** A database with the thing in the place of one file of the role; and that file. */
async function directoryWith(role: string, put: Put, context: TestContext): Promise<readonly [string, string]> {
  const { image } = (role === 'manifest' ? spilled : closed) as NonNullable<typeof closed>
  const directory = await fs.mkdtemp(path.join(temporary, 'd-'))
  for (const [file, bytes] of image) {
    await fs.mkdir(path.dirname(path.join(directory, file)), { recursive: true })
    await fs.writeFile(path.join(directory, file), bytes)
  }
  if (role === 'lock') return [directory, await replace(directory, 'lock', put, context)]
  const file = [...image.keys()]
    .filter((name) => (ROLES[role] as RegExp).test(name))
    .sort()
    .at(-1)
  assert.ok(file !== undefined, role)
  return [directory, await replace(directory, file, put, context)]
}

async function replace(directory: string, file: string, put: Put, context: TestContext): Promise<string> {
  const full = path.join(directory, file)
  await fs.rm(full, { force: true })
  await put(full, context)
  return path.basename(file)
}

/** Links are told from the rest by the system, and the rest from each other by nothing that knows of heads or segments. */
function rolesFor(thing: string): readonly string[] {
  return thing === 'a pipe' ? [...Object.keys(ROLES), 'lock'] : ['head', 'segment']
}

for (const [thing, put] of Object.entries(THINGS)) {
  test(`${thing} in the place of a file is refused by the device, at once`, { timeout: 300_000 }, async (context) => {
    const root = await fs.mkdtemp(path.join(temporary, 'device-'))
    if (!(await canPut(put, path.join(root, 'x'), context))) return
    const device = new NodeDevice(root)
    const said = `there is ${kindOf(thing)} in its place`
    for (const mode of ['read', 'write'] as const) {
      await failsWith(() => device.open('x', mode), 'PERMISSION_DENIED', `${mode} of x`)
      const error = await failureOf(async () => device.openSync('x', mode), `${mode} of x, synchronously`)
      assert.ok(isCode(error, 'PERMISSION_DENIED') && error.message.includes(said), String(error))
    }
    await failsWith(() => device.open('x', 'create'), 'EXISTS', 'x is a name that is taken')
  })

  test(
    `${thing} in the place of a file of a database is an error that names it, at once`,
    { timeout: 300_000 },
    async (context) => {
      if (!(await canPut(put, path.join(await fs.mkdtemp(path.join(temporary, 'try-')), 'x'), context))) return
      for (const role of rolesFor(thing)) {
        const [directory, name] = await directoryWith(role, put, context)
        const error = await failureOf(async () => {
          const db = await open(directory, { jobs: 'inline' })
          try {
            for await (const { damage } of db.verify()) if (damage !== undefined) throw damage
          } finally {
            await db.close()
          }
        }, `${role} is read`)
        assert.ok(isCode(error, role === 'table' || role === 'manifest' ? 'FILE_MISSING' : 'PERMISSION_DENIED'), role)
        assert.ok(error.message.includes(name), error.message)
        // It said that the file ends at byte 36: the length of the link.
        if (role === 'table') assert.ok(error.message.includes(`there is ${kindOf(thing)} in its place`), error.message)
      }
    },
  )

  if (thing === 'a directory') continue
  test(`${thing} in the place of a directory of a database is named by whoever opens it to write`, async (context) => {
    if (!(await canPut(put, path.join(await fs.mkdtemp(path.join(temporary, 'try-')), 'x'), context))) return
    for (const folder of ['files', 'heads']) {
      const [directory] = await directoryWith('head', (full) => fs.writeFile(full, ''), context)
      await fs.rm(path.join(directory, folder), { recursive: true })
      await put(path.join(directory, folder), context)
      const error = await failureOf(() => open(directory, { jobs: 'inline' }), folder)
      const said = `make directory of ${folder} failed: there is ${kindOf(thing)}`
      assert.ok(isCode(error, 'EXISTS') && error.message.startsWith(said), String(error))
    }
  })
}

function kindOf(thing: string): string {
  return thing.startsWith('a link') ? 'a symbolic link' : thing
}

// They said that there is no shard, or that a file of the journal is missing.
test('commands that only look name a file that lies in the place of a directory', async (context) => {
  const workplace = new Workplace(context)
  for (const folder of ['heads', 'journal', 'files']) {
    const [directory] = await directoryWith('head', (full) => fs.writeFile(full, ''), context)
    await fs.rm(path.join(directory, folder), { recursive: true })
    await fs.writeFile(path.join(directory, folder), '')
    const dump = { heads: 'dump head', journal: 'dump journal', files: 'dump tables' }[folder] ?? ''
    for (const words of ['get', 'scan', 'stats', 'verify', 'tree', 'export', dump]) {
      const [command = '', ...rest] = words.split(' ')
      const more = command === 'get' ? ['a/001'] : rest
      const { code, text, errors } = await workplace.inProcess([command, directory, ...more])
      assert.equal(code, 1, `${words}, ${folder}`)
      const said = `PERMISSION_DENIED: list of ${folder} failed: there is a file in its place`
      assert.ok((text + errors).includes(said), `${words}, ${folder}: ${text}${errors}`)
    }
  }
})

test('commands that only look do not wait for a pipe either, and name it', { timeout: 300_000 }, async (context) => {
  const workplace = new Workplace(context)
  const put = THINGS['a pipe'] as Put
  for (const [role, ...commands] of [
    ['head', 'get', 'dump head', 'repair'],
    ['table', 'verify', 'dump tables', 'repair'],
    ['segment', 'stats', 'dump journal', 'repair'],
  ] as const) {
    const [directory, name] = await directoryWith(role, put, context)
    for (const [command = '', ...rest] of commands.map((words) => words.split(' '))) {
      const more = { get: ['a/001'], repair: [`${directory}-new`] }[command] ?? rest
      const { code, text, errors } = await workplace.inProcess([command, directory, ...more])
      assert.notEqual(code, 0, `${command}, ${role}`)
      assert.ok((text + errors).includes(name), `${command}, ${role}: ${text}${errors}`)
    }
  }
  const [directory] = await directoryWith('lock', put, context)
  const { code, errors } = await workplace.inProcess(['repair', directory, `${directory}-new`])
  assert.equal(code, 0, `nothing that is to be saved is in a lock: ${errors}`)
})
