/** The part of a log that files have taken the place of: it is not needed, was perhaps never synced, and may be lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { epoch, journalPosition } from '../../src/kernel/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { JournalOnDisk, SHARD, texts, writeAll } from './journal-on-disk.ts'

const BATCHES = texts(60, 'batch')
const KEPT = ['none', 'some', 'all'] as const
const bytesOf = (batches: readonly string[]): number => batches.join('').length

async function openAt(
  place: JournalOnDisk,
  at: number,
  needed: number,
): Promise<{ journal: Journal; found: string[] }> {
  const journal = await place.system.open(SHARD, epoch(at), place.keeper, journalPosition(needed))
  const found: string[] = []
  await journal.replay(journalPosition(needed), (payload) => void found.push(Buffer.from(payload).toString()))
  assert.equal(journal.end, needed + bytesOf(found))
  return { journal, found }
}

test('after a power cut the log goes on where files end, with a prefix of what was behind and all that was synced', async () => {
  let lostBefore = 0
  let shortened = 0
  const random = new SeededRandom(7)
  for (let round = 0; round < 240; round++) {
    const policy = { data: KEPT[round % 3] ?? 'some', names: KEPT[Math.floor(round / 3) % 3] ?? 'some' } as const
    const at = `round ${round}, data: ${policy.data}, names: ${policy.names}`
    const place = new JournalOnDisk()
    const owner = await place.open(1)
    // As shards do it: written, replaced by files, some of it dropped; and now and then something is synced behind.
    const replaced = 1 + (random.u32() % 40)
    const synced = round % 4 === 0 ? replaced + (random.u32() % 15) : 0
    await writeAll(owner, BATCHES.slice(0, synced), 'written')
    if (synced > 0) await owner.sync()
    await writeAll(owner, BATCHES.slice(synced), 'written')
    const needed = bytesOf(BATCHES.slice(0, replaced))
    if (round % 2 === 0) await owner.truncate(journalPosition(needed))
    place.device = place.device.crash(policy, round)
    const left = await place.read(0)
    if (!Array.isArray(left) || left.length < replaced) lostBefore++

    const reader = await place.read(needed, needed)
    const { journal, found } = await openAt(place, 2, needed)
    assert.deepEqual(found, BATCHES.slice(replaced, replaced + found.length), at)
    assert.deepEqual(reader, found, 'who only reads finds the same')
    assert.ok(replaced + found.length >= synced, `${at}: what was synced is there`)
    if (found.length < BATCHES.length - replaced) shortened++
    await writeAll(journal, ['later', 'last'], 'synced')
    place.device = place.device.crash(policy, round)
    const again = await openAt(place, 3, needed)
    assert.deepEqual(again.found, [...found, 'later', 'last'], `${at}: once more`)
    await again.journal.close()
  }
  assert.ok(lostBefore > 20, `only ${lostBefore} rounds lost something that was not needed`)
  assert.ok(shortened > 20, `only ${shortened} rounds lost something behind it`)
})

test('damage to what is not needed costs nothing behind it, though nothing was synced', async () => {
  const place = new JournalOnDisk()
  await writeAll(await place.open(1), BATCHES, 'written')
  place.device = place.device.kill()
  const replaced = 30
  const needed = bytesOf(BATCHES.slice(0, replaced))
  for (const path of place.segments()) {
    const inode = place.device.inode(path)
    for (let offset = 70; offset < inode.length; offset += 97) {
      inode.flipBit(offset, 3)
      const found = await place.read(needed, needed)
      assert.ok(Array.isArray(found), `${path}:${offset}: ${String(found)}`)
      assert.deepEqual(found, BATCHES.slice(replaced, replaced + found.length))
      if (path === place.segments()[0]) assert.equal(found.length, BATCHES.length - replaced, `${path}:${offset}`)
      inode.flipBit(offset, 3)
    }
  }
  // A segment that ends before is not missed; the one in which the rest begins is.
  const [first] = place.segments()
  await place.device.unlink(first as string)
  assert.deepEqual(await place.read(needed, needed), BATCHES.slice(replaced))
})

test('damage to what is needed and was synced is told, whatever was lost before it', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, BATCHES, 'written')
  await journal.sync()
  place.device = place.device.kill()
  const needed = bytesOf(BATCHES.slice(0, 50))
  const inode = place.device.inode(place.segments().at(-1) as string)
  let told = 0
  for (let offset = 70; offset < inode.length; offset += 31) {
    inode.flipBit(offset, 3)
    const found = await place.read(needed, needed)
    if (Array.isArray(found)) assert.deepEqual(found, BATCHES.slice(50), `at ${offset}`)
    else if (isCode(found, 'JOURNAL_CORRUPT')) told++
    inode.flipBit(offset, 3)
  }
  assert.ok(told > 10, `told ${told} times`)
})

test('damage that begins where files have taken the place of what was synced ends a log of which nothing else was', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, BATCHES.slice(0, 8), 'written')
  await journal.sync()
  await writeAll(journal, BATCHES.slice(8, 24), 'written')
  place.device = place.device.kill()
  const needed = bytesOf(BATCHES.slice(0, 16))
  const [path] = place.segments()
  assert.equal(place.segments().length, 1)
  const inode = place.device.inode(path as string)
  const flip = (from: number, limit: number): void => {
    for (let offset = from; offset < limit; offset += 8) inode.flipBit(offset, 5)
  }
  let empty = 0
  for (let from = 70; from < inode.length; from += 160) {
    for (let limit = from + 160; limit < inode.length; limit += 160) {
      flip(from, limit)
      const found = await place.read(needed, needed)
      assert.ok(Array.isArray(found), `${from}…${limit}: ${String(found)}`)
      assert.deepEqual(found, BATCHES.slice(16, 16 + found.length), `${from}…${limit}`)
      if (found.length === 0) empty++
      flip(from, limit)
    }
  }
  assert.ok(empty > 10, `ended ${empty} times`)
})

test('segments are given back before anybody has synced them, and later syncs leave them alone', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, BATCHES, 'written')
  const before = place.segments().length
  const needed = bytesOf(BATCHES.slice(0, 50))
  await journal.truncate(journalPosition(needed))
  assert.ok(place.segments().length < before, `${place.segments().length} of ${before} segments are left`)
  await journal.append(Buffer.from('synced'), 'synced').synced
  place.device = place.device.crash({ data: 'none', names: 'none' }, 1)
  assert.deepEqual((await openAt(place, 2, needed)).found, [...BATCHES.slice(50), 'synced'])
})
