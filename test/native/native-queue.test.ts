/** Requests in flight through the addon: many, at closing, at the end of the process, in workers; and addons that do not load. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { RequestQueue } from '../../src/native/request-queue.ts'
import { PAGE, addon, numberOf, pages, place, testWithAddon } from './addon-test.ts'

const LOADER = new URL('../../src/native/load-native.js', import.meta.url).href
const QUEUE = new URL('../../src/native/request-queue.js', import.meta.url).href

/** Runs `text`, an async module, with the loader and the queue at hand. */
function runModule(
  text: string,
  environment: Readonly<Record<string, string>> = {},
): { status: number | null; output: string } {
  const script = `
    import fs from 'node:fs'
    const { loadNative } = await import(${JSON.stringify(LOADER)})
    const { RequestQueue } = await import(${JSON.stringify(QUEUE)})
    ${text}`
  const child = spawnSync(execPath, ['--expose-gc', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 120_000,
  })
  return { status: child.status, output: child.stdout + child.stderr }
}

testWithAddon('ten thousand reads in flight all arrive where they belong', {}, async (context) => {
  const { directory, calls } = await place(context)
  const count = 1000
  const fd = pages(directory, count)
  context.after(() => fs.closeSync(fd))
  fs.fsyncSync(fd)
  addon().dropCache(fd)
  const buffers = Array.from({ length: 10_000 }, () => new Uint8Array(16))
  const found = await Promise.all(
    buffers.map(async (into, index) => {
      assert.equal(await calls.read(fd, into, (index % count) * PAGE, 'pages'), 16)
      return numberOf(into)
    }),
  )
  assert.ok(found.every((number, index) => number === index % count))
})

testWithAddon('close waits for what is in flight, and afterwards Node does the work', {}, async (context) => {
  const { directory, calls } = await place(context)
  const fd = pages(directory, 100)
  context.after(() => fs.closeSync(fd))
  const outcomes: number[] = []
  const running = Array.from({ length: 100 }, async (_, page) => {
    const into = new Uint8Array(16)
    await calls.read(fd, into, page * PAGE, 'pages')
    await calls.sync(fd, 'pages')
    outcomes.push(numberOf(into))
  })
  // The reads are under way, the syncs not yet asked for.
  await Promise.all([calls.close(), calls.close()])
  await Promise.all(running)
  assert.equal(outcomes.length, 100)
  const into = new Uint8Array(16)
  assert.equal(await calls.read(fd, into, PAGE, 'pages'), 16)
  assert.equal(numberOf(into), 1)
})

testWithAddon('a queue that is closed takes nothing, and wrong arguments are refused', {}, async () => {
  const native = addon()
  const results = new Int32Array(2)
  const queue = native.openQueue(0, results, () => undefined)
  assert.ok(typeof queue !== 'number')
  for (const call of [
    () => native.pushRead(queue, 1, 0, 'x' as unknown as Uint8Array, 0),
    () => native.pushRead(queue, 1, 0, new Uint16Array(1) as unknown as Uint8Array, 0),
    () => native.pushRead({} as typeof queue, 1, 0, new Uint8Array(1), 0),
    () => native.readNow('0' as unknown as number, new Uint8Array(1), 0),
    () => native.openQueue(7 as 0, results, () => undefined),
    () => (native.takesNowait as () => number)(),
  ]) {
    assert.throws(call, TypeError, String(call))
  }
  native.closeQueue(queue)
  native.closeQueue(queue)
  assert.throws(() => native.pushSync(queue, 1, 0), TypeError)
})

testWithAddon('the process ends while reads and syncs are in flight, by itself or by exit', {}, async (context) => {
  const { directory } = await place(context)
  fs.closeSync(pages(directory, 500))
  const text = (end: string): string => `
    const fd = fs.openSync(${JSON.stringify(path.join(directory, 'pages'))}, 'r+')
    let done = 0
    for (const kind of ['ring', 'calls']) {
      const queue = RequestQueue.open(loadNative(), kind)
      if (queue === undefined) continue
      for (let page = 0; page < 500; page++) queue.read(fd, new Uint8Array(4096), page * 4096).then(() => done++)
      if (kind === 'calls') for (let count = 0; count < 20; count++) queue.sync(fd).then(() => done++)
    }
    process.on('exit', (code) => console.log(code, done))
    ${end}`
  const byExit = runModule(text('setImmediate(() => process.exit(3))'))
  assert.equal(byExit.status, 3, byExit.output)
  const byItself = runModule(text(''))
  assert.equal(byItself.status, 0, byItself.output)
  assert.match(byItself.output, /^0 (?:520|1020)\n$/, 'it waited for all of them, and no longer')
})

testWithAddon('a read at once does not wait for what may never come', {}, async (context) => {
  const { directory } = await place(context)
  const pipe = path.join(directory, 'pipe')
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
  // In a process of its own: one that waits, waits for ever. Position -1 is where a pipe is.
  const { status, output } = runModule(`
    const fd = fs.openSync(${JSON.stringify(pipe)}, 'r+')
    const into = new Uint8Array(8)
    const empty = loadNative().readNow(fd, into, -1)
    fs.writeSync(fd, 'hello')
    console.log(empty < 0, loadNative().readNow(fd, into, -1))`)
  assert.equal(status, 0, output)
  assert.match(output, /^true (?:5|-\d+)\n$/, 'what has come is read, where the kernel does it at all')
})

testWithAddon('neither reads nor syncs wait for Node’s thread pool', {}, async (context) => {
  const { directory, calls } = await place(context)
  const fd = pages(directory, 10)
  const pipe = path.join(directory, 'pipe')
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const ends = fs.openSync(pipe, 'r+')
  context.after(() => [fd, ends].forEach((one) => fs.closeSync(one)))
  const ring = RequestQueue.open(addon(), 'ring')
  if (ring === undefined) {
    context.skip('the kernel has no io_uring for us, so reads go through the pool')
    return
  }
  await ring.close()
  // As name resolution does when the network is slow. Nothing is in the pipe, so every thread of the pool waits.
  const threads = 16
  const blocked = Array.from({ length: threads }, async () => {
    await new Promise((resolve) => fs.read(ends, new Uint8Array(1), 0, 1, null, resolve))
  })
  const into = new Uint8Array(PAGE)
  assert.equal(await calls.read(fd, into, 7 * PAGE, 'pages'), PAGE)
  assert.equal(numberOf(into), 7)
  await calls.sync(fd, 'pages')
  fs.writeSync(ends, new Uint8Array(threads))
  await Promise.all(blocked)
})

testWithAddon('a queue nobody holds is collected, with its thread', {}, async () => {
  const { status, output } = runModule(`
    const threads = () => fs.readdirSync('/proc/self/task').length
    const before = threads()
    let queues = Array.from({ length: 20 }, () => RequestQueue.open(loadNative(), 'calls'))
    console.log(threads() - before)
    queues = undefined
    for (let count = 0; count < 1000 && threads() > before; count++) {
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    console.log(threads() - before)`)
  assert.equal(status, 0, output)
  assert.equal(output, '20\n0\n')
})

testWithAddon(
  'every thread of a process has its own, and one that is terminated leaves no trace',
  {},
  async (context) => {
    const { directory } = await place(context)
    const fd = pages(directory, 200)
    context.after(() => fs.closeSync(fd))
    const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    Promise.all([import(${JSON.stringify(LOADER)}), import(${JSON.stringify(QUEUE)})]).then(async ([load, queues]) => {
      const addon = load.loadNative()
      const queue = queues.RequestQueue.open(addon, 'ring') ?? queues.RequestQueue.open(addon, 'calls')
      for (;;) {
        const buffers = Array.from({ length: 200 }, () => new Uint8Array(4096))
        const counts = await Promise.all(buffers.map((into, page) => queue.read(workerData, into, page * 4096)))
        parentPort.postMessage(counts.every((count) => count === 4096))
      }
    })`
    const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData: fd }))
    for (const worker of workers) assert.deepEqual(await once(worker, 'message'), [true])
    // In the midst of it.
    await Promise.all(workers.map((worker) => worker.terminate()))
    const queue = RequestQueue.open(addon(), 'calls')
    assert.ok(queue !== undefined)
    assert.equal(await queue.sync(fd), 0)
    await queue.close()
  },
)

test('VARVE_NATIVE=0 turns the addon off', () => {
  const { status, output } = runModule('console.log(loadNative())', { VARVE_NATIVE: '0' })
  assert.equal(status, 0, output)
  assert.equal(output, 'undefined\n')
})

// One that was left over from before lacked a function, and whoever needed it got a TypeError.
testWithAddon('an addon that was built from other sources is no addon', {}, async (context) => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'varve-native-'))
  context.after(() => fs.rmSync(directory, { recursive: true }))
  const name = `${process.platform}-${process.arch}.node`
  fs.copyFileSync(new URL(name, LOADER), path.join(directory, name))
  const source = fs.readFileSync(new URL(LOADER), 'utf8')
  const own = Number(/INTERFACE_VERSION = (\d+)/.exec(source)?.[1])
  for (const [version, expected] of [
    [own, 'object\n'],
    [own + 1, 'undefined\n'],
  ] as const) {
    const loader = path.join(directory, `load-native-${version}.mjs`)
    fs.writeFileSync(loader, source.replace(/INTERFACE_VERSION = \d+/, `INTERFACE_VERSION = ${version}`))
    const script = `console.log(typeof (await import(${JSON.stringify(loader)})).loadNative())`
    const child = spawnSync(execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    assert.equal(child.stdout, expected, child.stderr)
  }
})

test('an addon for another machine, or a broken one, is no addon', (context) => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'varve-native-'))
  context.after(() => fs.rmSync(directory, { recursive: true }))
  const loader = path.join(directory, 'load-native.mjs')
  fs.copyFileSync(new URL(LOADER), loader)
  fs.writeFileSync(path.join(directory, `${process.platform}-${process.arch}.node`), 'not a library')
  const script = `console.log((await import(${JSON.stringify(loader)})).loadNative())`
  const child = spawnSync(execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.equal(child.stdout, 'undefined\n', child.stderr)
})

testWithAddon('a buffer is pinned while it is read into, and no longer', {}, async (context) => {
  const { directory } = await place(context)
  const pipe = path.join(directory, 'pipe')
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const { status, output } = runModule(`
    const fd = fs.openSync(${JSON.stringify(pipe)}, 'r+')
    const queue = RequestQueue.open(loadNative(), 'ring')
    const turn = () => new Promise((resolve) => setTimeout(resolve, 20))
    const read = () => {
      const into = new Uint8Array(16)
      return { into: new WeakRef(into), count: queue.read(fd, into, 0) }
    }
    const collect = async () => {
      for (let count = 0; count < 5; count++) {
        await turn()
        gc()
      }
    }
    if (queue === undefined) console.log('no ring')
    else {
      const { into, count } = read()
      await collect()
      const pinned = into.deref() !== undefined
      await turn()
      fs.writeSync(fd, 'hello')
      const bytes = await count
      await collect()
      console.log(pinned, bytes, into.deref() === undefined)
    }`)
  assert.equal(status, 0, output)
  assert.match(output, /^(?:no ring|true 5 true)\n$/)
})
