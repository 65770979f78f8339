/** A directory that one may not read or write: the error has its code, names the directory, and says what to look at. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { open } from '../../src/local.ts'
import { Workplace } from './varve-process.ts'

const COMMAND_LINE = new URL('../../src/cli/command-line.js', import.meta.url).href
const NODE_DEVICE = new URL('../../src/fs/node-device.js', import.meta.url).href

interface Answer {
  readonly outcomes: readonly { readonly code: number; readonly notes: readonly string[] }[]
  readonly made: { readonly code: string; readonly message: string }
}

test('what the system denies a command is PERMISSION_DENIED, with the directory and a way out', async (context) => {
  const workplace = new Workplace(context)
  const [denied, fixed] = ['denied', 'fixed'].map((name) => path.join(workplace.path, name)) as [string, string]
  const unmade = path.join(fixed, 'new')
  await fs.mkdir(denied)
  await fs.mkdir(fixed)
  await fs.chmod(workplace.path, 0o755)
  await fs.chmod(denied, 0o000)
  await fs.chmod(fixed, 0o555)
  // Whatever needs none of our modules that has not been loaded: they too may be where nobody else may read.
  const commands = [
    ['put', denied, 'key', 'value'],
    ['put', path.join(denied, 'new'), 'key', 'value'],
    ['get', denied, 'key'],
    ['dump', denied, 'head'],
    ['repair', denied, unmade],
  ]
  const { outcomes, made } = await asNobody(commands, unmade)
  await fs.chmod(denied, 0o755)
  await fs.chmod(fixed, 0o755)
  assert.ok(made.code === 'PERMISSION_DENIED' && made.message.includes(unmade), `it was made: ${made.message}`)
  assert.equal(outcomes.length, commands.length)
  for (const [number, { code, notes }] of outcomes.entries()) {
    const [command = '', directory = ''] = commands[number] as string[]
    const said = `${command} ${path.basename(directory)}: ${notes.join(' ')}`
    assert.equal(code, 1, said)
    assert.ok(notes[0]?.startsWith('varve: PERMISSION_DENIED: ') && notes[0].includes(directory), said)
    assert.equal(notes[1], 'Check who owns the directory and what its mode allows.', said)
  }
})

// Each table was damaged, and the advice was to restore it.
test('a table that may not be read is not damaged: verify ends with PERMISSION_DENIED, and names it', async (context) => {
  const workplace = new Workplace(context)
  const data = path.join(workplace.path, 'data')
  const db = await open(data, { jobs: 'inline' })
  await db.put(Buffer.from('key'), Buffer.from('value'))
  await db.flush()
  await db.close()
  await fs.chmod(workplace.path, 0o755)
  const files = path.join(data, 'files')
  const [table = ''] = (await fs.readdir(files)).filter((name) => name.endsWith('.table'))
  await fs.chmod(path.join(files, table), 0o000)
  const commands = [
    ['verify', data],
    ['verify', data, '--bytes-only'],
  ]
  const { outcomes } = await asNobody(commands, path.join(data, 'files', 'new'))
  for (const { code, notes } of outcomes) {
    assert.equal(code, 1)
    assert.match(notes[0] ?? '', /^varve: PERMISSION_DENIED: /)
    assert.ok(notes[0]?.includes(table), notes.join(' '))
    assert.equal(notes[1], 'Check who owns the directory and what its mode allows.')
  }
  assert.equal(outcomes.length, commands.length)
})

/** Runs each command as somebody who is denied what others are, and makes a directory as the device does. */
async function asNobody(commands: readonly (readonly string[])[], unmade: string): Promise<Answer> {
  const script = `
    const { NodeDevice } = await import(${JSON.stringify(NODE_DEVICE)})
    const { runCommandLine } = await import(${JSON.stringify(COMMAND_LINE)})
    // Root is denied nothing, so it asks as nobody.
    if (process.getuid() === 0) {
      process.setgid(65534)
      process.setuid(65534)
    }
    const outcomes = []
    for (const words of ${JSON.stringify(commands)}) {
      const notes = []
      const output = { columns: 100, live: false, line: () => {}, note: (text) => notes.push(text), status: () => {} }
      const context = { output, stdin: {}, stdout: {}, signal: new AbortController().signal, now: () => 0 }
      outcomes.push({ code: await runCommandLine(words, context, { debug: false }), notes })
    }
    const made = await new NodeDevice(${JSON.stringify(unmade)}).makeDirectory('.').catch((error) => error)
    console.log(JSON.stringify({ outcomes, made: { code: made?.code, message: made?.message } }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout)) as Answer
}
