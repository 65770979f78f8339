/** Files that a shard shares with another stay for as long as either needs them, and no longer, whatever is asked in vain. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { reclaimSuperseded } from '../../src/shard/reclaim.ts'
import type { HeadStore } from '../../src/fs/fs.ts'
import type { KvComponents } from '../../src/engines/kv/open-kv.ts'
import { Deferred } from '../../src/shard/deferred.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import type { Composer } from '../simulation.ts'
import { bytes, contentOf, fill, filled, key, tablesIn } from './changes.ts'

/** Rewrites all that `main` has, and lets go of what it had. */
async function moveOn(main: Simulation): Promise<void> {
  await fill(main.db, 'later')
  await main.db.compactRange()
  await main.reopen()
}

// What failed took the pin of the clone back, as if it had set it itself.
test('a split or merge that would make a shard that is there already leaves that one what it has', async () => {
  for (const what of ['split', 'merge'] as const) {
    const main = await Simulation.start(1, TINY_SETTINGS)
    await fill(main.db, 'value')
    await main.db.compactRange()
    await main.reopen()
    await main.db.clone('clone')
    let others: readonly Simulation[] = [main]
    if (what === 'split') {
      await assert.rejects(main.db.split(bytes(key(50)), 'fresh', 'clone'), (error) => isCode(error, 'EXISTS'))
      await assert.rejects(main.db.split(bytes(key(50)), 'clone', 'other'), (error) => isCode(error, 'EXISTS'))
    } else {
      const empty = await main.sibling('empty')
      await assert.rejects(main.db.merge(empty.db, bytes('x'), 'clone'), (error) => isCode(error, 'EXISTS'))
      others = [main, empty]
    }
    await moveOn(main)
    const clone = await main.sibling('clone')
    assert.deepEqual(await contentOf(clone.db), filled('value'), what)
    for (const each of [clone, ...others]) await each.stop()
  }
})

/** Removes what `shard`, which others have replaced, has left. */
async function reclaim({ device, random }: Simulation, shard: string): Promise<void> {
  const hash = await loadHash()
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  await reclaimSuperseded({ files, heads }, hash, shardId(shard))
}

/** Waits before the head of `shard` is written for the first time. */
function heldAt(shard: string): { composer: Composer; reached: Promise<void>; goOn: () => void } {
  const [reached, gate] = [new Deferred<void>(), new Deferred<void>()]
  const compose = (parts: KvComponents): KvComponents => {
    const { heads } = parts
    const held: HeadStore = {
      name: heads.name,
      read: (...call) => heads.read(...call),
      compareAndSet: async (...call) => {
        if (call[0] === shard && call[1] === undefined) {
          reached.resolve()
          await gate.promise
        }
        return heads.compareAndSet(...call)
      },
    }
    return { ...parts, heads: held }
  }
  return { composer: { compose }, reached: reached.promise, goOn: () => gate.resolve() }
}

// Its pin was without a head, and the next owner let go of the files: the clone referred to what was not there.
test('an owner that slept while it cloned, and was replaced, has made no clone', async () => {
  const hold = heldAt('clone')
  const main = new Simulation(3, TINY_SETTINGS)
  main.composer = hold.composer
  await main.open()
  await fill(main.db, 'value')
  await main.db.compactRange()
  const cloning = main.db.clone('clone')
  await hold.reached
  const next = await main.sibling('main')
  await moveOn(next)
  hold.goOn()
  await assert.rejects(cloning, (error) => isCode(error, 'FENCED'))
  await assert.rejects(next.sibling('clone'), (error) => isCode(error, 'NOT_FOUND'))
  assert.deepEqual(await contentOf(next.db), filled('later'))
  await next.stop()
})

// The one asleep took its pins back, which were by then those of the shards that the other had made.
test('an owner that slept while it split takes nothing from those that the next owner has made of the same names', async () => {
  const main = await Simulation.start(4, TINY_SETTINGS)
  await fill(main.db, 'value')
  await main.db.split(bytes(key(150)), 'middle', 'rest')
  await main.stop().catch(() => undefined)
  const hold = heldAt('left')
  const middle = new Simulation(5, TINY_SETTINGS, {}, 'middle')
  middle.device = main.device
  middle.composer = hold.composer
  await middle.open()
  const splitting = middle.db.split(bytes(key(100)), 'left', 'right')
  await hold.reached
  const next = await main.sibling('middle')
  await next.db.split(bytes(key(90)), 'left', 'right')
  hold.goOn()
  await assert.rejects(splitting, (error) => isCode(error, 'EXISTS', 'FENCED'))
  for (const shard of ['middle', 'main']) await reclaim(main, shard)
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  assert.deepEqual([...(await contentOf(left.db)), ...(await contentOf(right.db))], filled('value', 0, 150))
  for (const each of [left, right]) await each.stop()
})

// Nobody let go of it: what had replaced the clone had pins of its own.
test('a clone that was replaced by others keeps no file of its origin any more, once it is reclaimed', async () => {
  const main = await Simulation.start(6, TINY_SETTINGS)
  await fill(main.db, 'value')
  await main.db.compactRange()
  await main.reopen()
  const shared = tablesIn(main)
  await main.db.clone('clone')
  const clone = await main.sibling('clone')
  await clone.db.split(bytes(key(100)), 'left', 'right')
  await clone.stop().catch(() => undefined)
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  await moveOn(main)
  await reclaim(main, 'clone')
  await main.reopen()
  assert.deepEqual([...(await contentOf(left.db)), ...(await contentOf(right.db))], filled('value'))
  for (const { db } of [left, right]) await db.detach()
  for (const each of [left, right]) await each.reopen()
  await reclaim(main, 'clone')
  await main.reopen()
  await main.db.close()
  assert.deepEqual(
    tablesIn(main).filter((name) => shared.includes(name)),
    [],
    'tables are kept for a shard that is none any more',
  )
  assert.deepEqual([...(await contentOf(left.db)), ...(await contentOf(right.db))], filled('value'))
  for (const each of [left, right]) await each.stop()
})

// They had pinned files of the first shard only, where their own next owner did not look.
test('a split that was cut off keeps nothing, also of what the shard had all of another', async () => {
  const main = await Simulation.start(7, TINY_SETTINGS)
  await fill(main.db, 'value')
  await main.db.split(bytes(key(150)), 'middle', 'rest')
  await main.stop().catch(() => undefined)
  const hold = heldAt('right')
  const middle = new Simulation(5, TINY_SETTINGS, {}, 'middle')
  middle.device = main.device
  middle.composer = hold.composer
  await middle.open()
  middle.db.split(bytes(key(100)), 'left', 'right').catch(() => undefined)
  await hold.reached
  // Killed there.
  const [next, rest] = [await main.sibling('middle'), await main.sibling('rest')]
  for (const { db } of [next, rest]) await db.detach()
  for (const each of [next, rest]) await each.reopen()
  await reclaim(main, 'main')
  assert.deepEqual(
    tablesIn(main).filter((name) => name.includes('/main.')),
    [],
  )
  assert.deepEqual([...(await contentOf(next.db)), ...(await contentOf(rest.db))], filled('value'))
  for (const each of [next, rest]) await each.stop()
})

// Only who drops a file says so, and it had died, or the heads were away: the pin stayed for ever.
test('a clone whose owner dies before it has let go of what it dropped keeps nothing, once it is opened again', async () => {
  const main = await Simulation.start(8, TINY_SETTINGS)
  await fill(main.db, 'value')
  await main.db.compactRange()
  await main.reopen()
  const shared = tablesIn(main)
  await main.db.clone('clone')
  await moveOn(main)
  const clone = new Simulation(9, TINY_SETTINGS, {}, 'clone')
  clone.device = main.device
  clone.composer = {
    compose: (parts) => ({
      ...parts,
      heads: {
        name: parts.heads.name,
        read: (shard) => parts.heads.read(shard),
        compareAndSet: (...call) =>
          // Of its death nobody hears.
          call[0] === 'main' ? new Promise<never>(() => undefined) : parts.heads.compareAndSet(...call),
      },
    }),
  }
  await clone.open()
  await clone.db.detach()
  const next = await main.sibling('clone')
  assert.deepEqual(await contentOf(next.db), filled('value'))
  await next.stop()
  await main.reopen()
  await main.stop()
  assert.deepEqual(
    tablesIn(main).filter((name) => shared.includes(name)),
    [],
    'tables are kept for nobody',
  )
})

// What its owner had dropped, and still read, was taken for what nobody needs.
test('what a successor still reads of the shard before stays, though that is reclaimed meanwhile, and goes afterwards', async () => {
  const main = await Simulation.start(10, TINY_SETTINGS)
  await fill(main.db, 'value')
  await main.db.compactRange()
  await main.db.split(bytes(key(150)), 'left', 'right')
  await main.stop().catch(() => undefined)
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  const [reached, gate] = [new Deferred<void>(), new Deferred<void>()]
  const target = { files: new MemoryFileStore({ hash: await loadHash() }), heads: new MemoryHeadStore() }
  const create = target.files.create.bind(target.files)
  target.files.create = async (...call) => {
    reached.resolve()
    await gate.promise
    return create(...call)
  }
  const copying = left.db.checkpoint(target)
  await reached.promise
  await left.db.detach()
  await reclaim(main, 'main')
  gate.resolve()
  await copying
  const copy = await left.elsewhere(target)
  assert.deepEqual(await contentOf(copy.db), filled('value', 0, 150))
  await right.db.detach()
  for (const each of [left, right]) await each.reopen()
  await reclaim(main, 'main')
  assert.deepEqual(
    tablesIn(main).filter((name) => name.includes('/main.')),
    [],
  )
  for (const each of [copy, left, right]) await each.stop()
})
