import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { forEachBounded } from './bounded-work.ts'
import { isSameContentStamp, readDiskFile } from './disk-file.ts'
import { listTree } from './input-tree.ts'
import { readLedger, writeLedger } from '../main-job/ledger.ts'

const signal = new AbortController().signal

function folder(context: TestContext): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'varve-cli-')))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

test('a tree lists its regular files by the bytes of their paths, and counts what it leaves out', async (context) => {
  const root = folder(context)
  mkdirSync(join(root, 'a'))
  mkdirSync(join(root, 'shard'))
  for (const name of ['a/x', 'a.txt', 'b ä', 'shard/inside']) writeFileSync(join(root, name), name)
  // A name that is not UTF-8 is a file like any other.
  const odd = Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from([0x62, 0xff])])
  if (process.platform === 'linux') writeFileSync(odd, 'odd')
  symlinkSync('a', join(root, 'link'))
  const tree = await listTree(root, { except: [join(root, 'shard')], signal })
  const expected = ['a.txt', 'a/x', 'b ä']
  if (process.platform === 'linux') expected.push('b\ufffd')
  assert.deepEqual(
    tree.files.map(({ path }) => path.toString()),
    expected,
  )
  assert.equal(tree.symlinks, 1)
  assert.deepEqual(tree.unreadable, [])
  const last = tree.files.at(-1)
  assert.ok(last !== undefined)
  const { content, stamp } = await readDiskFile(root, last.path)
  assert.equal(stamp.size, content.length)
  assert.equal(
    tree.bytes,
    tree.files.reduce((sum, { size }) => sum + size, 0),
  )
})

test('what is not a directory is refused as input, by name', async (context) => {
  const root = folder(context)
  writeFileSync(join(root, 'file'), '')
  for (const name of ['file', 'nowhere']) {
    await assert.rejects(listTree(join(root, name), { except: [], signal }), new RegExp(name))
  }
})

test('a file counts as the same when its size is, and its time to a millisecond', async (context) => {
  const root = folder(context)
  writeFileSync(join(root, 'file'), 'one')
  const { stamp } = await readDiskFile(root, Buffer.from('file'))
  writeFileSync(join(root, 'file'), 'two')
  utimesSync(join(root, 'file'), new Date(stamp.mtimeMs), new Date(stamp.mtimeMs))
  assert.ok(isSameContentStamp((await readDiskFile(root, Buffer.from('file'))).stamp, stamp))
  utimesSync(join(root, 'file'), new Date(stamp.mtimeMs), new Date(stamp.mtimeMs + 1000))
  assert.ok(!isSameContentStamp((await readDiskFile(root, Buffer.from('file'))).stamp, stamp))
})

test('a ledger reads back as it was written, and one that has been damaged anywhere is refused', async (context) => {
  const hash = await loadHash()
  const path = join(folder(context), 'ledger')
  const files = [
    {
      path: Buffer.from([0x61, 0xff]),
      stamp: { size: 3, mode: 0o100644, mtimeMs: 1.7e12 },
      contentHash: 2n ** 64n - 1n,
      deleted: true,
    },
    { path: Buffer.from('b'), stamp: { size: 0, mode: 0, mtimeMs: -5000 }, contentHash: 0n, deleted: false },
  ]
  await writeLedger(path, { root: 'somewhere', files }, hash)
  assert.deepEqual(await readLedger(path, hash), { root: 'somewhere', files })

  const whole = readFileSync(path)
  for (let index = 0; index < whole.length; index++) {
    const damaged = Buffer.from(whole)
    damaged[index] = (damaged[index] as number) ^ 0x10
    writeFileSync(path, damaged)
    await assert.rejects(readLedger(path, hash), /no record of what a demo has ingested/, `byte ${index}`)
  }
  for (const length of [0, 5, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length))
    await assert.rejects(readLedger(path, hash), /no record of what a demo has ingested/, `cut to ${length}`)
  }
})

test('bounded work never runs more items or bytes at a time than allowed, and runs a larger item alone', async () => {
  const sizes = [1, 2, 3, 50, 4, 5, 6, 1, 1, 1]
  let running = 0
  let bytes = 0
  const done: number[] = []
  await forEachBounded(
    sizes,
    { itemsMax: 3, bytesMax: 10, signal },
    (size) => size,
    async (size) => {
      running++
      bytes += size
      assert.ok(running <= 3, `${running} at a time`)
      assert.ok(bytes <= 10 || running === 1, `${bytes} bytes at a time`)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      bytes -= size
      done.push(size)
    },
  )
  assert.equal(done.length, sizes.length)
})

test('bounded work throws the first failure after all that runs has ended, and starts nothing more', async () => {
  let ended = 0
  const work = forEachBounded(
    [1, 2, 3, 4, 5, 6],
    { itemsMax: 2, bytesMax: 100, signal },
    () => 1,
    async (item) => {
      await new Promise((resolve) => setImmediate(resolve))
      ended++
      if (item === 2) throw new Error('the second')
    },
  )
  await assert.rejects(work, /the second/)
  assert.ok(ended < 6, `${ended} ran`)
})
