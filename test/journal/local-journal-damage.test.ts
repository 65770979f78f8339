/** What becomes of a local journal whose stored bytes are damaged or missing. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { shardIdentity } from '../../src/journal/segment-id.ts'
import { hashKey } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { JournalOnDisk, SHARD, texts, writeAll } from './journal-on-disk.ts'

/** Flips each bit of `mask` of every byte of every segment, and calls `check` with what a reader finds. */
async function sweep(
  place: JournalOnDisk,
  bits: readonly number[],
  check: (found: string[] | VarveError, at: string) => void,
): Promise<number> {
  let flips = 0
  for (const path of place.segments()) {
    const inode = place.device.inode(path)
    for (let offset = 0; offset < inode.length; offset++) {
      const bit = bits[offset % bits.length] as number
      inode.flipBit(offset, bit)
      check(await place.read(), `${path}:${offset} bit ${bit}`)
      inode.flipBit(offset, bit)
      flips++
    }
  }
  return flips
}

test('a flipped bit anywhere in a closed, synced journal is found: JOURNAL_CORRUPT or every batch, never another', async () => {
  const place = new JournalOnDisk()
  const first = texts(14, 'first')
  const second = texts(16, 'second')
  const before = await place.open(1)
  await writeAll(before, first, 'synced')
  await before.close()
  const owner = await place.open(2)
  await writeAll(owner, second, 'synced')
  await owner.close()
  const expected = [...first, ...second]
  assert.deepEqual(await place.read(), expected)
  let corrupt = 0
  const flips = await sweep(place, [0, 3, 5, 7], (found, at) => {
    if (found instanceof VarveError) {
      assert.equal(found.code, 'JOURNAL_CORRUPT', at)
      assert.equal(typeof found.details['file'], 'string', 'it names the file')
      assert.equal(typeof found.details['offset'], 'number', 'and the offset')
      corrupt++
    } else {
      assert.deepEqual(found, expected, at)
    }
  })
  assert.ok(corrupt > flips / 2, `${corrupt} of ${flips} flips were noticed, most bytes are in frames`)
})

test('a flipped bit in a journal that was not closed costs at most what was not synced', async () => {
  const place = new JournalOnDisk()
  const synced = texts(20, 'synced')
  const unsynced = texts(8, 'unsynced')
  const journal = await place.open(1)
  await writeAll(journal, synced, 'synced')
  await writeAll(journal, unsynced, 'written')
  const expected = [...synced, ...unsynced]
  assert.deepEqual(await place.read(), expected)
  const seen = { corrupt: 0, shorter: 0, whole: 0 }
  await sweep(place, [1, 6], (found, at) => {
    if (found instanceof VarveError) {
      assert.equal(found.code, 'JOURNAL_CORRUPT', at)
      seen.corrupt++
      return
    }
    assert.deepEqual(found, expected.slice(0, found.length), `${at}: a prefix`)
    assert.ok(found.length >= synced.length, `${at}: ${found.length} batches, ${synced.length} were synced`)
    if (found.length < expected.length) seen.shorter++
    else seen.whole++
  })
  assert.ok(seen.corrupt > 0 && seen.shorter > 0 && seen.whole > 0, JSON.stringify(seen))
})

test('an owner that opens a damaged journal cuts nothing that was synced', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, texts(10, 'a'), 'synced')
  const path = place.segments()[0] as string
  place.device.inode(path).flipBit(200, 2)
  const bytes = place.device.inode(path).content()
  const owner = await place.open(2)
  await assert.rejects(
    owner.replay(journalPosition(0), () => {}),
    { code: 'JOURNAL_CORRUPT' },
  )
  await owner.close()
  assert.deepEqual(place.device.inode(path).content(), bytes, 'the file is as it was')
  place.device.inode(path).flipBit(200, 2)
  assert.deepEqual(await place.read(), texts(10, 'a'), 'once the damage is repaired, everything is there')
})

test('damage before the position that is asked for harms nobody', async () => {
  const place = new JournalOnDisk()
  const batches = texts(10, 'a')
  const journal = await place.open(1)
  await writeAll(journal, batches, 'synced')
  await journal.close()
  const path = place.segments()[0] as string
  // Of the second frame: the first byte of its header, and one of its body.
  const second = 64 + 36 + 2 + batches.slice(0, 2).join('').length
  const from = batches.slice(0, 4).join('').length
  for (const offset of [second, second + 50]) {
    place.device.inode(path).flipBit(offset, 0)
    assert.ok(isCode(await place.read(), 'JOURNAL_CORRUPT'))
    assert.deepEqual(await place.read(from), batches.slice(4))
    place.device.inode(path).flipBit(offset, 0)
  }
})

test('a flipped bit in a fence costs its word of the end, and no later owner is let in by it', async () => {
  const place = new JournalOnDisk()
  await (await place.open(1)).close()
  const fence = place.device.inode('j/s/fence.1-1')
  for (let offset = 0; offset < fence.length; offset++) {
    const damaged = new JournalOnDisk()
    damaged.device = place.device.crash({ data: 'all', names: 'all' }, 1)
    damaged.keeper.state = place.keeper.state
    damaged.device.inode('j/s/fence.1-1').flipBit(offset, offset % 8)
    // A version is believed only under its checksum, so no flip makes another one of it.
    await (await damaged.open(2)).close()
    await assert.rejects(damaged.open(1), { code: 'FENCED' })
  }
})

test('a fence of another format version refuses the opening before anything is changed', async () => {
  const place = new JournalOnDisk()
  await (await place.open(1)).close()
  const fence = place.device.inode('j/s/fence.1-1')
  const bytes = fence.content().slice(0, 32)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, 2, true)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, hashKey(bytes, 4, 32, shardIdentity(SHARD)), true)
  const file = await place.device.open('j/s/fence.1-1', 'write')
  await file.write([bytes], 0)
  await assert.rejects(place.open(2), { code: 'INCOMPATIBLE' })
})

test('a flipped bit in the committed state refuses the opening', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, texts(4, 'a'), 'synced')
  await journal.close()
  await (await place.open(2)).close()
  const state = place.keeper.state as Uint8Array
  for (let bit = 0; bit < state.length * 8; bit++) {
    state[bit >> 3] = (state[bit >> 3] as number) ^ (1 << (bit & 7))
    await assert.rejects(place.open(3), { code: 'JOURNAL_CORRUPT' })
    state[bit >> 3] = (state[bit >> 3] as number) ^ (1 << (bit & 7))
  }
  await assert.rejects(
    place.system.open(shardId('other'), epoch(3), { state, commit: async () => {} }),
    { code: 'JOURNAL_CORRUPT' },
    'the state of another shard',
  )
})

test('a segment swapped for another, or an older copy of itself, is not replayed', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, texts(60, 'a'), 'synced')
  await journal.close()
  const [first, second] = place.segments() as [string, string]
  const spare = await place.device.open('j/s/spare', 'create')
  await spare.write([place.device.inode(first).content()], 0)
  await place.device.rename('j/s/spare', second)
  const found = await place.read()
  assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT', 'bytes of another segment never verify')
})

test('a segment of another shard, with the same numbers, is not replayed, and the loss of the right one is told', async () => {
  const place = new JournalOnDisk()
  const other = shardId('t')
  const otherKeeper = new MemoryStateKeeper()
  const journal = await place.open(1)
  const another = await place.system.open(other, epoch(1), otherKeeper)
  await writeAll(journal, texts(5, 'a'), 'synced')
  await writeAll(another, texts(5, 'b'), 'synced')
  await journal.close()
  await another.close()
  const name = (place.segments()[0] as string).slice('j/s'.length)
  await place.device.rename(`j/t${name}`, `j/s${name}`)
  const found = await place.read()
  assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT', 'none of its frames is one')
})

test('a missing segment is named when it is needed, and not missed when it is not', async () => {
  for (const reopened of [false, true]) {
    const place = new JournalOnDisk()
    const batches = texts(120, 'a')
    const journal = await place.open(1)
    await writeAll(journal, batches, 'synced')
    await journal.close()
    if (reopened) await (await place.open(2)).close()
    const segments = place.segments()
    assert.ok(segments.length >= 4, 'there are several')
    const [oldest, , missing] = segments as [string, string, string]
    await place.device.unlink(missing)
    const found = await place.read()
    assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT')
    assert.equal(found.details['file'], missing)
    const from = batches.slice(0, 118).join('').length
    assert.deepEqual(await place.read(from), batches.slice(118))
    await place.device.unlink(oldest)
    const again = await place.read()
    assert.ok(again instanceof VarveError && again.code === 'JOURNAL_CORRUPT')
    assert.equal(again.details['file'], oldest)
  }
})

test('segments of an owner that the head does not know are refused', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(3)
  await writeAll(journal, texts(2, 'a'), 'synced')
  await journal.close()
  place.keeper.state = undefined
  await assert.rejects(place.open(4), { code: 'JOURNAL_CORRUPT' })
})

test('a segment of a newer format is refused as such', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, texts(2, 'a'), 'synced')
  await journal.close()
  const { encodeSegmentHeader } = await import('../../src/journal/segment-header.ts')
  const { segmentIdentity } = await import('../../src/journal/segment-id.ts')
  const id = { epoch: 1, attempt: 1, index: 1 }
  const identity = segmentIdentity(SHARD, id)
  const header = encodeSegmentHeader(id, { base: 0, syncedUpTo: 0 }, identity)
  const view = new DataView(header.buffer)
  view.setUint32(8, 2, true)
  view.setUint32(0, hashKey(header, 4, header.length, identity), true)
  const file = await place.device.open(place.segments()[0] as string, 'write')
  await file.write([header], 0)
  assert.ok(isCode(await place.read(), 'INCOMPATIBLE'))
})

test('after a kill, damage to the last synced record is told, though no later record bears witness of it', async () => {
  const batches = texts(7, 'a')
  const place = new JournalOnDisk()
  await writeAll(await place.open(1), batches, 'synced')
  place.device = place.device.kill()
  const [path] = place.segments() as [string]
  const { length } = place.device.inode(path)
  for (const damage of ['gone', 'cut', 'flipped'] as const) {
    const damaged = new JournalOnDisk()
    damaged.device = place.device.crash({ data: 'all', names: 'all' }, 1)
    await damaged.keeper.commit(place.keeper.state as Uint8Array)
    if (damage === 'gone') await damaged.device.unlink(path)
    if (damage === 'cut') damaged.device.inode(path).truncate(100)
    if (damage === 'flipped') damaged.device.inode(path).flipBit(lastContent(damaged.device.inode(path).content()), 3)
    assert.ok(damage !== 'cut' || length > 100)
    const read = await damaged.read()
    assert.ok(read instanceof VarveError && read.code === 'JOURNAL_CORRUPT', `read-only: ${damage}`)
    const journal = await damaged.open(2)
    const found = await journal.replay(journalPosition(0), () => undefined).catch((error: unknown) => error)
    assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT', damage)
  }
})

test('after a clean close the end of the log bears witness of the last synced record, where no other file does', async () => {
  const batches = texts(7, 'a')
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, batches, 'synced')
  await journal.close()
  await place.device.unlink('j/s/synced.1-1')
  place.device.inode('j/s/fence.1-1').truncate(32)
  assert.deepEqual(await place.read(), batches)
  const inode = place.device.inode(place.segments().at(-1) as string)
  inode.flipBit(Buffer.from(inode.content()).lastIndexOf(batches.at(-1) as string), 3)
  assert.ok(isCode(await place.read(), 'JOURNAL_CORRUPT'))
})

test('a segment that was begun bears witness of the last synced record before it, where nothing else does', async () => {
  const place = new JournalOnDisk()
  const batches = ['a'.repeat(1800), 'b'.repeat(1800)]
  const journal = await place.open(1)
  for (const batch of batches) await journal.append(Buffer.from(batch), 'synced').synced
  const [first] = place.segments() as [string]
  await journal.append(Buffer.from('c'.repeat(1800)), 'written').written
  const [, second] = place.segments() as [string, string]
  place.device = place.device.kill()
  // Of the new segment the power cut has left no frame, and of the witness nothing.
  place.device.inode(second).truncate(64)
  await place.device.unlink('j/s/synced.1-1')
  assert.deepEqual(await place.read(), batches)
  const inode = place.device.inode(first)
  inode.flipBit(Buffer.from(inode.content()).lastIndexOf('bbb'), 0)
  assert.ok(isCode(await place.read(), 'JOURNAL_CORRUPT'))
})

/** Where the last byte is that is not one of the zeros ahead. */
function lastContent(bytes: Uint8Array): number {
  let at = bytes.length - 1
  while (bytes[at] === 0) at--
  return at
}
