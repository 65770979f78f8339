/** Checkpoints and clones: what they hold, what they share, and what is deleted when. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { isCode } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { checkpoint } from '../src/local-checkpoint.ts'
import { open } from '../src/local.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key-${String(index).padStart(4, '0')}`)
}

async function fill(db: KvShard, from: number, limit: number, value: string): Promise<void> {
  for (let index = from; index < limit; index++) await db.put(keyOf(index), Buffer.from(`${value} ${index}`))
}

async function contentOf(db: KvShard): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { key, value } of db.scan())
    found.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`)
  return found
}

function tablesIn(simulation: Simulation): readonly string[] {
  return simulation.device.files().filter((name) => name.endsWith('.table'))
}

test('a clone starts with what its origin holds, copies nothing, and both go their own way', async () => {
  const origin = await Simulation.start(1, TINY_SETTINGS)
  await fill(origin.db, 0, 200, 'before')
  await origin.db.compactRange()
  await origin.reopen()
  const before = await contentOf(origin.db)
  const tables = tablesIn(origin)
  await origin.db.clone('clone')
  assert.deepEqual(tablesIn(origin), tables, 'tables were copied')
  const clone = await origin.sibling('clone')
  assert.deepEqual(await contentOf(clone.db), before)
  await fill(origin.db, 100, 300, 'origin')
  await fill(clone.db, 150, 160, 'clone')
  await clone.db.delete(keyOf(0))
  await origin.db.compactRange()
  assert.deepEqual(await contentOf(clone.db), [
    ...before.slice(1, 150),
    ...Array.from({ length: 10 }, (_, index) => `key-0${150 + index}=clone ${150 + index}`),
    ...before.slice(160),
  ])
  assert.equal((await contentOf(origin.db)).length, 300)
  await clone.stop()
  await origin.stop()
})

test('files that a clone refers to stay when the origin drops them, and go when neither needs them', async () => {
  const origin = await Simulation.start(2, TINY_SETTINGS)
  await fill(origin.db, 0, 200, 'shared')
  await origin.db.compactRange()
  // Closing waits until superseded tables are gone.
  await origin.reopen()
  const shared = tablesIn(origin)
  await origin.db.clone('clone')
  await fill(origin.db, 0, 200, 'origin')
  await origin.db.compactRange()
  await origin.reopen()
  assert.ok(
    shared.every((name) => tablesIn(origin).includes(name)),
    'a pinned table was deleted',
  )
  const clone = await origin.sibling('clone')
  assert.equal((await contentOf(clone.db))[7], 'key-0007=shared 7')
  await fill(clone.db, 0, 200, 'clone')
  await clone.db.compactRange()
  await clone.reopen()
  assert.equal((await contentOf(clone.db))[7], 'key-0007=clone 7')
  await origin.reopen()
  await origin.reopen()
  assert.ok(!shared.some((name) => tablesIn(origin).includes(name)), 'a table that nobody needs was left')
  assert.equal((await contentOf(origin.db))[7], 'key-0007=origin 7')
  await clone.stop()
  await origin.stop()
})

test('a clone of a clone keeps the files of the first shard', async () => {
  const origin = await Simulation.start(3, TINY_SETTINGS)
  await fill(origin.db, 0, 100, 'first')
  await origin.db.clone('second')
  const second = await origin.sibling('second')
  await second.db.clone('third')
  await fill(second.db, 0, 100, 'second')
  await second.db.compactRange()
  await second.stop()
  await fill(origin.db, 0, 100, 'origin')
  await origin.db.compactRange()
  await origin.reopen()
  const third = await origin.sibling('third')
  assert.equal((await contentOf(third.db))[99], 'key-0099=first 99')
  await third.stop()
  await origin.stop()
})

test('a clone that was cut off between pin and head leaves no pin behind', async () => {
  const origin = await Simulation.start(4, TINY_SETTINGS)
  await fill(origin.db, 0, 100, 'value')
  origin.beforeOperation = ({ operation, path: place }) => {
    if (operation === 'link' && place.includes('clone.head-')) throw new Error('cut off')
  }
  await assert.rejects(origin.db.clone('clone'))
  delete origin.beforeOperation
  const shared = tablesIn(origin)
  await origin.kill()
  await fill(origin.db, 0, 100, 'other')
  await origin.db.compactRange()
  await origin.reopen()
  assert.ok(!shared.some((name) => tablesIn(origin).includes(name)), 'tables are kept for a clone that never was')
  await origin.stop()
})

test('a shard that exists is not cloned over', async () => {
  const origin = await Simulation.start(5, TINY_SETTINGS)
  await origin.db.clone('clone')
  await assert.rejects(origin.db.clone('clone'), (error) => isCode(error, 'EXISTS'))
  await assert.rejects(origin.db.clone('main'), (error) => isCode(error, 'EXISTS'))
  await origin.stop()
})

test('a checkpoint holds the moment it was asked for, in other stores, while writes go on', async () => {
  const origin = await Simulation.start(6, TINY_SETTINGS)
  await fill(origin.db, 0, 150, 'before')
  const before = await contentOf(origin.db)
  const place = { files: new MemoryFileStore({ hash: await loadHash() }), heads: new MemoryHeadStore() }
  const copying = origin.db.checkpoint(place)
  await Promise.all([copying, fill(origin.db, 0, 150, 'after')])
  const copy = await origin.elsewhere(place)
  assert.equal((await contentOf(copy.db)).length, before.length)
  await fill(copy.db, 0, 300, 'copy')
  await copy.db.compactRange()
  assert.equal((await contentOf(copy.db))[299], 'key-0299=copy 299')
  assert.equal((await contentOf(origin.db))[149], 'key-0149=after 149')
  await copy.stop()
  await origin.stop()
})

test('a checkpoint has its head once every file is there, and none where one cannot be copied', async () => {
  const origin = await Simulation.start(7, TINY_SETTINGS)
  await fill(origin.db, 0, 150, 'value')
  const hash = await loadHash()
  for (const last of [undefined, 3]) {
    const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
    let [begun, finished, before] = [0, 0, 0]
    const create = files.create.bind(files)
    files.create = async (...given) => {
      if (++begun === last) throw new Error('no room')
      const writer = await create(...given)
      const finish = writer.finish.bind(writer)
      writer.finish = async (...options) => {
        const ref = await finish(...options)
        // Later than whoever does not wait for it.
        await new Promise((resolve) => setImmediate(resolve))
        finished++
        return ref
      }
      return writer
    }
    const compareAndSet = heads.compareAndSet.bind(heads)
    heads.compareAndSet = (...given) => {
      before = finished
      return compareAndSet(...given)
    }
    const copying = origin.db.checkpoint({ files, heads })
    if (last === undefined) {
      await copying
      assert.ok(begun > 3)
      assert.equal(before, begun)
    } else {
      await assert.rejects(copying, /no room/)
      assert.equal(await heads.read(shardId('main')), undefined)
    }
  }
  await origin.stop()
})

test('a checkpoint of a directory opens like any other, and refuses a directory that is not empty', async () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-checkpoint-'))
  try {
    const db = await open(path.join(scratch, 'one'), { settings: TINY_SETTINGS })
    await fill(db, 0, 100, 'value')
    await checkpoint(db, path.join(scratch, 'two'))
    await assert.rejects(checkpoint(db, path.join(scratch, 'two')), (error) => isCode(error, 'EXISTS'))
    const copy = await open(path.join(scratch, 'two'))
    assert.deepEqual(await contentOf(copy), await contentOf(db))
    await copy.close()
    await db.close()
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
})
