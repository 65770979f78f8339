/** What the device over Node's file system does beyond its port: the system's errors, links, short transfers. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import nodeFs from 'node:fs'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { mock, test } from 'node:test'
import type { TestContext } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { failsWith, failureOf } from '../testing/expected-failure.ts'
import { NEVER_AT_HAND, NOT_AT_HAND } from './file-calls.ts'
import type { FileCalls } from './file-calls.ts'
import { NodeDevice } from './node-device.ts'
import { NodeFileCalls } from './node-file-calls.ts'

type Callback = (error: Error | null, value?: number) => void

async function temporary(context: TestContext): Promise<string> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-node-device-'))
  context.after(async () => {
    mock.restoreAll()
    await fs.rm(root, { recursive: true, force: true })
  })
  return root
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

test('a symbolic link in place of a file is refused, whatever it leads to; a directory may be one', async (context) => {
  const root = await temporary(context)
  const device = new NodeDevice(path.join(root, 'root'))
  await device.makeDirectory('d')
  await fs.writeFile(path.join(root, 'secret'), 'secret')
  await fs.symlink(path.join(root, 'secret'), path.join(root, 'root', 'link'))
  await fs.symlink(path.join(root, 'missing'), path.join(root, 'root', 'dangling'))
  for (const name of ['link', 'dangling']) {
    for (const mode of ['read', 'write'] as const) {
      await failsWith(() => device.open(name, mode), 'PERMISSION_DENIED', `${mode} of ${name}`)
      await failsWith(() => device.openSync(name, mode), 'PERMISSION_DENIED', `${mode} of ${name}, synchronously`)
    }
    await failsWith(() => device.open(name, 'create'), 'EXISTS', `${name} is a name that is taken`)
    assert.notEqual((await device.stat(name))?.bytes, 6, 'stat is of the link itself')
  }
  assert.equal(await fs.readFile(path.join(root, 'secret'), 'utf8'), 'secret')
  await assert.rejects(fs.stat(path.join(root, 'missing')), 'nothing was created through a link')
  await fs.symlink(path.join(root, 'root', 'd'), path.join(root, 'root', 'elsewhere'))
  await (await device.open('elsewhere/file', 'create')).close()
  assert.equal((await device.stat('d/file'))?.bytes, 0, 'the journal may be on another disk')
})

test('what the system denies is PERMISSION_DENIED', async (context) => {
  const root = await temporary(context)
  const device = new NodeDevice(root)
  await (await device.open('file', 'create')).close()
  await device.makeDirectory('d')
  await (await device.open('d/file', 'create')).close()
  await fs.chmod(path.join(root, 'file'), 0o000)
  await fs.chmod(path.join(root, 'd'), 0o555)
  await fs.chmod(root, 0o555)
  const script = `
    const { NodeDevice } = await import(${JSON.stringify(new URL('node-device.js', import.meta.url).href)})
    // Root is denied nothing, so it asks as nobody.
    if (process.getuid() === 0) {
      process.setgid(65534)
      process.setuid(65534)
    }
    const device = new NodeDevice(${JSON.stringify(root)})
    const calls = {
      read: () => device.open('file', 'read'),
      write: () => device.open('file', 'write'),
      create: () => device.open('d/new', 'create'),
      unlink: () => device.unlink('d/file'),
      rename: () => device.rename('d/file', 'd/other'),
      link: () => device.link('d/file', 'd/other'),
      makeDirectory: () => device.makeDirectory('d/e'),
    }
    const codes = {}
    for (const [name, call] of Object.entries(calls)) codes[name] = await call().then(() => 'done', (error) => error.code)
    console.log(JSON.stringify(codes))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = await text(child.stdout)
  await fs.chmod(root, 0o755)
  await fs.chmod(path.join(root, 'd'), 0o755)
  const codes = JSON.parse(output) as Record<string, string>
  assert.equal(Object.keys(codes).length, 7)
  for (const [name, code] of Object.entries(codes)) assert.equal(code, 'PERMISSION_DENIED', name)
})

test('short transfers are continued until all bytes have moved', async (context) => {
  const device = new NodeDevice(await temporary(context))
  const file = await device.open('file', 'create')
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index)
  const { writev, writevSync, writeSync, read, readSync } = nodeFs
  // At most seven bytes at a time.
  const first = (parts: readonly NodeJS.ArrayBufferView[]): Uint8Array[] => [(parts[0] as Uint8Array).subarray(0, 7)]
  const calls = { count: 0 }
  mock.method(nodeFs, 'writev', (fd: number, parts: Uint8Array[], position: number, done: Callback) => {
    calls.count++
    writev(fd, first(parts), position, done)
  })
  mock.method(nodeFs, 'writevSync', (fd: number, parts: Uint8Array[], position: number) =>
    writevSync(fd, first(parts), position),
  )
  mock.method(nodeFs, 'writeSync', (fd: number, part: Uint8Array, offset: number, length: number, position: number) =>
    writeSync(fd, part, offset, Math.min(length, 7), position),
  )
  mock.method(
    nodeFs,
    'read',
    (fd: number, into: Uint8Array, offset: number, length: number, position: number, done: Callback) => {
      calls.count++
      read(fd, into, offset, Math.min(length, 7), position, done)
    },
  )
  mock.method(nodeFs, 'readSync', (fd: number, into: Uint8Array, offset: number, length: number, position: number) =>
    readSync(fd, into, offset, Math.min(length, 7), position),
  )
  const parts = [bytes.subarray(0, 10), new Uint8Array(0), bytes.subarray(10, 11), bytes.subarray(11)]
  await file.write(parts, 0)
  file.writeSync(parts, 1000)
  file.writeSync([bytes], 2000)
  const found = new Uint8Array(3000)
  assert.equal(await file.read(found, 0), 3000)
  assert.ok(calls.count > 500, 'the transfers were short')
  for (const start of [0, 1000, 2000]) assert.deepEqual(found.subarray(start, start + 1000), bytes)
  const again = new Uint8Array(3001)
  assert.equal(file.readSync(again, 0), 3000, 'a read ends where the file does')
  assert.deepEqual(again.subarray(0, 3000), found)
  await file.close()
})

test('a write that makes no progress fails instead of trying for ever', async (context) => {
  const device = new NodeDevice(await temporary(context))
  const file = await device.open('file', 'create')
  mock.method(nodeFs, 'writev', (_fd: number, _parts: unknown, _position: number, done: Callback) => done(null, 0))
  mock.method(nodeFs, 'writevSync', () => 0)
  mock.method(nodeFs, 'writeSync', () => 0)
  const part = new Uint8Array(3)
  await failsWith(() => file.write([part], 0), 'IO_FAILED', 'write')
  await failsWith(() => file.writeSync([part], 0), 'IO_FAILED', 'writeSync of one part')
  await failsWith(() => file.writeSync([part, part], 0), 'IO_FAILED', 'writeSync of two')
  await file.close()
})

test('errors in the midst of a transfer come through with their codes', async (context) => {
  const device = new NodeDevice(await temporary(context))
  const file = await device.open('file', 'create')
  const full = systemError('ENOSPC')
  mock.method(nodeFs, 'writev', (_fd: number, _parts: unknown, _position: number, done: Callback) => done(full))
  mock.method(nodeFs, 'writeSync', () => {
    throw full
  })
  await failsWith(() => file.write([new Uint8Array(3)], 0), 'NO_SPACE', 'write')
  await failsWith(() => file.preallocate(0, 10), 'NO_SPACE', 'preallocate')
  const error = await failsWith(() => file.writeSync([new Uint8Array(3)], 0), 'NO_SPACE', 'writeSync')
  assert.deepEqual(error.details, { path: 'file', operation: 'write', errno: 'ENOSPC' })
  await file.close()
})

test('after a sync that failed every later one of the handle fails, also those that were waiting', async (context) => {
  const device = new NodeDevice(await temporary(context))
  const file = await device.open('file', 'create')
  let calls = 0
  const waiting: Callback[] = []
  mock.method(nodeFs, 'fdatasync', (_fd: number, done: Callback) => {
    calls++
    waiting.push(done)
  })
  const syncs = Array.from({ length: 5 }, () => file.sync().catch((error: unknown) => error))
  waiting[0]?.(systemError('EIO'))
  for (const outcome of await Promise.all(syncs)) assert.ok(isCode(outcome, 'IO_FAILED'), String(outcome))
  await failsWith(() => file.sync(), 'IO_FAILED', 'and for ever')
  assert.equal(calls, 1, 'the system was not asked again: it would say that all is well')
  await file.close()
})

test('a directory that was there is made durable too: whoever made it may have been killed before', async (context) => {
  const root = await temporary(context)
  const synced: string[] = []
  const { openSync, fsync } = nodeFs
  const opened = new Map<number, string>()
  mock.method(nodeFs, 'openSync', (file: string, flags: number) => {
    const fd = openSync(file, flags)
    opened.set(fd, file)
    return fd
  })
  mock.method(nodeFs, 'fsync', (fd: number, done: Callback) => {
    synced.push(path.relative(path.dirname(root), opened.get(fd) as string))
    fsync(fd, done)
  })
  const name = path.basename(root)
  const device = new NodeDevice(root)
  const syncedBy = async (directory: string): Promise<string[]> => {
    synced.length = 0
    await device.makeDirectory(directory)
    return [...synced]
  }
  assert.deepEqual(await syncedBy('a/b'), [`${name}/a`, name], 'what was made')
  assert.deepEqual(await syncedBy('a/b'), [`${name}/a`, name], 'what was there')
  assert.deepEqual(await syncedBy('a/b/c'), [`${name}/a/b`, `${name}/a`, name], 'and some of both')
  assert.deepEqual(await syncedBy('.'), [''], 'the root itself')
  const deep = new NodeDevice(path.join(root, 'x', 'y'))
  synced.length = 0
  await deep.makeDirectory('z')
  assert.deepEqual(synced, [`${name}/x/y`, `${name}/x`, name], 'parents of the root, where they were missing')
})

test('wrong arguments are no failures of the device', async (context) => {
  const device = new NodeDevice(await temporary(context))
  const file = await device.open('file', 'create')
  for (const call of [() => file.readSync(new Uint8Array(1), -7), () => file.readSync(new Uint8Array(1), 0.5)]) {
    const error = await failureOf(call, String(call))
    assert.ok(error instanceof RangeError || error instanceof TypeError, String(error))
  }
  await file.close()
})

test('a read takes what is at hand in pieces, and what is not, or can never be told, through the thread pool', async (context) => {
  const root = await temporary(context)
  const content = Buffer.from('0123456789')
  await fs.writeFile(path.join(root, 'file'), content)
  const inner = new NodeFileCalls()
  const state = { atHand: 4, asked: 0, pauses: 0, never: false }
  const calls: FileCalls = {
    readsNow: true,
    // In pieces of three bytes, of those below `atHand`.
    readNow: (fd, into, position) => {
      state.asked++
      if (state.never) return NEVER_AT_HAND
      if (position >= content.length) return 0
      if (position >= state.atHand) return NOT_AT_HAND
      return inner.readSync(fd, into.subarray(0, Math.min(3, state.atHand - position)), position)
    },
    pause: () => (state.pauses++ % 2 === 0 ? undefined : Promise.resolve()),
    read: (...call) => inner.read(...call),
    readSync: (...call) => inner.readSync(...call),
    writeSync: (...call) => inner.writeSync(...call),
    sync: (...call) => inner.sync(...call),
  }
  const file = await new NodeDevice(root, { calls }).open('file', 'read')
  const read = async (length: number): Promise<string> => {
    const into = new Uint8Array(length)
    return Buffer.from(into.subarray(0, await file.read(into, 0))).toString()
  }
  for (const atHand of [4, 10]) {
    state.atHand = atHand
    assert.equal(await read(4), '0123')
    assert.equal(await read(10), '0123456789')
    assert.equal(await read(12), '0123456789')
  }
  assert.equal(state.pauses, 4, 'once for each read that was at hand')
  const into = new Uint8Array(12)
  assert.equal(file.readNow(into, 0), 10)
  state.atHand = 4
  assert.equal(file.readNow(into, 0), undefined)
  state.never = true
  assert.equal(file.readNow(into, 0), undefined)
  state.asked = 0
  assert.equal(file.readNow(into, 0), undefined)
  assert.equal(await read(10), '0123456789')
  assert.equal(state.asked, 0, 'a file that can never tell is not asked again')
  await file.close()
  const without = await new NodeDevice(root).open('file', 'read')
  assert.throws(() => without.readNow(into, 0), { code: 'UNSUPPORTED' })
  await without.close()
})

test('directories that are removed, and things that cannot be looked at, are told apart', async (context) => {
  const root = await temporary(context)
  const device = new NodeDevice(root)
  await device.makeDirectory('a/b')
  await failsWith(() => device.removeDirectory('a'), 'IO_FAILED', 'it is not empty')
  await device.removeDirectory('a/b')
  assert.equal(await device.stat('a/b'), undefined)
  await fs.writeFile(path.join(root, 'file'), '')
  const endless = 'x'.repeat(5000)
  await assert.rejects(device.stat(endless), (error) => !isCode(error, 'NOT_FOUND'))
  assert.throws(
    () => device.statSync(endless),
    (error) => !isCode(error, 'NOT_FOUND'),
  )
})
