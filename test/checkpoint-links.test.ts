/** Checkpoints on the same file system are hard links; on another one, copies. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadHash } from '../src/kernel/hash.ts'
import type { FileRef } from '../src/kernel/file-ref.ts'
import { fileName } from '../src/kernel/ids.ts'
import { LocalFileStore } from '../src/fs/local-file-store.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { checkpoint } from '../src/local-checkpoint.ts'
import { open } from '../src/local.ts'
import { failsWith } from '../src/testing/expected-failure.ts'
import { putFile, randomBytes } from '../src/testing/file-model.ts'
import { SimulatedDevice } from '../src/testing/simulated-device.ts'
import { failure } from '../src/testing/simulated-failure.ts'

const hash = await loadHash()
const NAMES = ['a', 'b', 'c'].map((name) => fileName(name))

function tables(directory: string): string[] {
  return readdirSync(join(directory, 'files')).filter((name) => !name.endsWith('.manifest'))
}

async function checkpointTo(place: string): Promise<{ readonly linked: number; readonly copied: number }> {
  const origin = mkdtempSync(join(tmpdir(), 'varve-origin-'))
  const target = join(place, 'target')
  try {
    const db = await open(origin, { jobs: 'inline' })
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 100; index++) await db.put(Buffer.from(`${round} ${index}`), Buffer.from('value'))
      await db.flush()
    }
    await checkpoint(db, target)
    const inodes = new Set(tables(origin).map((name) => statSync(join(origin, 'files', name)).ino))
    const linked = tables(target).filter((name) => inodes.has(statSync(join(target, 'files', name)).ino)).length
    const copied = tables(target).length - linked
    // Each goes its own way.
    await db.deleteRange({})
    await db.compactRange()
    await db.close()
    rmSync(origin, { recursive: true })
    const copy = await open(target, { jobs: 'inline' })
    let count = 0
    for await (const { value } of copy.scan()) count += String(Buffer.from(value)) === 'value' ? 1 : 0
    assert.equal(count, 300)
    for await (const { damage } of copy.verify()) assert.equal(damage, undefined)
    await copy.compactRange()
    await copy.close()
    return { linked, copied }
  } finally {
    rmSync(origin, { recursive: true, force: true })
  }
}

test('on the same file system every table of a checkpoint is a link', async () => {
  const place = mkdtempSync(join(tmpdir(), 'varve-checkpoint-'))
  try {
    const { linked, copied } = await checkpointTo(place)
    assert.ok(linked > 0)
    assert.equal(copied, 0)
  } finally {
    rmSync(place, { recursive: true })
  }
})

const SHM = '/dev/shm'
const other = existsSync(SHM) && statSync(SHM).dev !== statSync(tmpdir()).dev
test(
  'on another file system every table is copied',
  { skip: other ? false : `${SHM} is not another file system` },
  async () => {
    const place = mkdtempSync(join(SHM, 'varve-checkpoint-'))
    try {
      const { linked, copied } = await checkpointTo(place)
      assert.ok(copied > 0)
      assert.equal(linked, 0)
    } finally {
      rmSync(place, { recursive: true })
    }
  },
)

test('what was adopted survives a power cut', async () => {
  const device = new SimulatedDevice()
  const source = await LocalFileStore.open({ device, directory: 'source', hash })
  const target = await LocalFileStore.open({ device, directory: 'target', hash })
  const refs = await Promise.all(NAMES.map((name, index) => putFile(source, name, randomBytes(index, 1000))))
  assert.deepEqual([...(await target.adopt(refs, source))], NAMES)
  await source.remove(NAMES)
  const after = device.crash({ data: 'none', names: 'none' }, 1)
  const store = await LocalFileStore.open({ device: after, directory: 'target', hash })
  for (const [index, ref] of refs.entries()) {
    assert.deepEqual(await (await store.open(ref)).read(0, 1000), randomBytes(index, 1000))
  }
})

test('files that cannot be linked are left to be copied, those that are missing or taken are not', async () => {
  let failing: 'IO_FAILED' | 'NO_SPACE' | undefined
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation === 'link' && failing !== undefined && path === 'target/b') throw failure(failing, operation, path)
    },
  })
  const source = await LocalFileStore.open({ device, directory: 'source', hash })
  const target = await LocalFileStore.open({ device, directory: 'target', hash })
  const refs: FileRef[] = []
  for (const name of NAMES) refs.push(await putFile(source, name, randomBytes(1, 10)))
  failing = 'IO_FAILED'
  assert.deepEqual([...(await target.adopt(refs, source))], NAMES.slice(0, 1))
  failing = 'NO_SPACE'
  await failsWith(() => target.adopt(refs.slice(1), source), 'NO_SPACE', 'a full disk')
  failing = undefined
  await failsWith(() => target.adopt(refs, source), 'EXISTS', 'the first is there')
  await source.remove(NAMES)
  await failsWith(() => target.adopt(refs.slice(2), source), 'FILE_MISSING', 'the last is gone')
  const elsewhere = new MemoryFileStore({ hash })
  assert.equal((await target.adopt(refs, elsewhere)).size, 0)
})

test('a checkpoint that failed leaves nothing in the way of the next, and its arguments are checked before it begins', async () => {
  const place = mkdtempSync(join(tmpdir(), 'varve-checkpoint-'))
  const target = join(place, 'target')
  try {
    const db = await open(join(place, 'origin'), { jobs: 'inline' })
    await db.put(Buffer.from('key'), Buffer.from('value'))
    await assert.rejects(checkpoint(undefined as never, target), /db must be an open database/)
    await assert.rejects(checkpoint(db, target, { encryptoin: {} } as never), /unknown option encryptoin/)
    assert.ok(!existsSync(target))
    const broken = {
      async checkpoint(to: Parameters<typeof db.checkpoint>[0]): Promise<void> {
        await putFile(to.files, fileName('main.e1-j1-a1-0.table'), Buffer.from('half of it'))
        throw new Error('on the way')
      },
    }
    await assert.rejects(checkpoint(broken, target), /on the way/)
    assert.ok(!existsSync(target), 'it had made the directory itself')
    mkdirSync(target)
    await assert.rejects(checkpoint(broken, target), /on the way/)
    assert.deepEqual(readdirSync(target), [], 'one that was there stays')
    await checkpoint(db, target)
    await db.close()
    const copy = await open(target, { jobs: 'inline' })
    assert.equal(String(await copy.get(Buffer.from('key'))), 'value')
    await copy.close()
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})
