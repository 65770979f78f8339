/** What single calls of the addon do: reads that do not wait, reads that may, syncs, and their errors. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { NEVER_AT_HAND, NOT_AT_HAND } from '../../src/fs/file-calls.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { NativeFileCalls } from '../../src/native/native-file-calls.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { PAGE, addon, numberOf, pages, place, testWithAddon } from './addon-test.ts'

testWithAddon('what is in the page cache is read at once; what was dropped is not at hand', {}, async (context) => {
  const { directory, calls } = await place(context)
  const fd = pages(directory, 300)
  context.after(() => fs.closeSync(fd))
  if (!calls.readsNow) {
    context.skip(`the file system of ${directory} cannot tell what is cached`)
    return
  }
  const into = new Uint8Array(PAGE)
  assert.equal(calls.readNow(fd, into, 7 * PAGE, 'pages'), PAGE)
  assert.equal(numberOf(into), 7)
  if (!(await dropped(fd, () => calls.readNow(fd, into, 200 * PAGE, 'pages') === NOT_AT_HAND))) {
    context.skip('the system does not let go of pages now: its journal may still hold them')
    return
  }
  assert.equal(await calls.read(fd, into, 200 * PAGE, 'pages'), PAGE)
  assert.equal(numberOf(into), 200)
  assert.equal(calls.readNow(fd, into, 200 * PAGE, 'pages'), PAGE, 'now it is cached')
})

testWithAddon(
  'a file system that cannot tell what is cached is asked once, and read all the same',
  {},
  async (context) => {
    const shared = '/dev/shm'
    if (!fs.existsSync(shared) || addon().takesNowait(shared) !== 0) {
      context.skip('there is no file system in memory that refuses')
      return
    }
    const directory = fs.mkdtempSync(path.join(shared, 'varve-native-'))
    context.after(() => fs.rmSync(directory, { recursive: true }))
    const calls = new NativeFileCalls(addon(), path.join(directory, 'not', 'made', 'yet'), new SystemClock())
    assert.equal(calls.readsNow, false, 'declared: what is yet to be made will be on the same file system')
    const fd = pages(directory, 3)
    const into = new Uint8Array(PAGE)
    assert.equal(calls.readNow(fd, into, PAGE, 'pages'), NEVER_AT_HAND)
    assert.equal(await calls.read(fd, into, PAGE, 'pages'), PAGE)
    assert.equal(numberOf(into), 1)
    await calls.sync(fd, 'pages')
    fs.closeSync(fd)
    await calls.close()
  },
)

testWithAddon('reads are short at the end of the file, and nothing behind it', {}, async (context) => {
  const { directory, calls } = await place(context)
  const fd = pages(directory, 2)
  context.after(() => fs.closeSync(fd))
  const into = new Uint8Array(PAGE).fill(255)
  for (const read of [
    (position: number) => calls.read(fd, into, position, 'pages'),
    (position: number) => Promise.resolve(calls.readsNow ? calls.readNow(fd, into, position, 'pages') : undefined),
  ]) {
    for (const [position, expected] of [
      [2 * PAGE - 5, 5],
      [2 * PAGE, 0],
      [1e12, 0],
    ] as const) {
      const count = await read(position)
      assert.ok(count === expected || count === undefined, `${position}: ${count}`)
    }
  }
  assert.ok(
    into.subarray(5).every((byte) => byte === 255),
    'what was not read is not touched',
  )
})

testWithAddon('a descriptor that is not open, or not for reading, has the device’s error', {}, async (context) => {
  const { directory, calls } = await place(context)
  const into = new Uint8Array(1)
  const writeOnly = fs.openSync(path.join(directory, 'w'), 'w')
  context.after(() => fs.closeSync(writeOnly))
  for (const fd of [1_000_000, writeOnly]) {
    const now = calls.readsNow ? [() => calls.readNow(fd, into, 0, 'x')] : []
    for (const call of [() => calls.read(fd, into, 0, 'x'), ...now]) {
      const error = await failsWith(call, 'IO_FAILED', String(fd))
      assert.equal(error.details['errno'], 'EBADF')
      assert.equal(error.details['path'], 'x')
    }
  }
  await failsWith(() => calls.sync(1_000_000, 'x'), 'IO_FAILED', 'sync')
})

testWithAddon('shared memory can be read into', {}, async (context) => {
  const { directory, calls } = await place(context)
  const fd = pages(directory, 3)
  context.after(() => fs.closeSync(fd))
  const into = new Uint8Array(new SharedArrayBuffer(2 * PAGE), PAGE)
  assert.equal(await calls.read(fd, into, PAGE, 'pages'), PAGE)
  assert.equal(numberOf(into), 1)
  if (calls.readsNow) assert.equal(calls.readNow(fd, into, 2 * PAGE, 'pages'), PAGE)
})

testWithAddon('a file that cannot be synced has the system’s error', {}, async (context) => {
  const { calls } = await place(context)
  const fd = fs.openSync('/dev/null', 'w')
  context.after(() => fs.closeSync(fd))
  const error = await failsWith(() => calls.sync(fd, 'null'), 'IO_FAILED', 'a device file')
  assert.equal(error.details['errno'], 'EINVAL')
})

/** Drops the pages of `fd` until `gone` says so. The file system's journal may hold on to pages that were just written. */
async function dropped(fd: number, gone: () => boolean): Promise<boolean> {
  const page = new Uint8Array(PAGE)
  for (let attempt = 0; attempt < 100; attempt++) {
    fs.fsyncSync(fd)
    assert.equal(addon().dropCache(fd), 0)
    if (gone()) return true
    // Puts the file into another transaction of the journal.
    fs.writeSync(fd, page, 0, PAGE, 0)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

// Replay of a journal held every timer for as long as it took.
testWithAddon('reads of what is at hand, awaited one after the other, let the event loop turn', {}, async (context) => {
  const { directory, calls } = await place(context)
  fs.closeSync(pages(directory, 10))
  const file = await new NodeDevice(directory, { calls }).open('pages', 'read')
  context.after(() => file.close())
  let [turns, running] = [0, true]
  const count = (): void => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  const into = new Uint8Array(16)
  for (let done = 0; done < 300; done++) {
    await file.read(into, 0)
    for (const until = performance.now() + 1; performance.now() < until;);
  }
  running = false
  // One each 3 ms of 300, on a machine that has nothing else to do.
  assert.ok(turns > 30, `${turns} turns`)
})
