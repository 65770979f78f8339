/** Opening a local journal that was closed: nothing is scanned, and nothing is missed. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { journalPosition } from '../../src/kernel/ids.ts'
import { FRAME_HEADER_BYTES } from '../../src/journal/frame.ts'
import { SEGMENT_HEADER_BYTES } from '../../src/journal/segment-header.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../../src/testing/simulated-device.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, texts, writeAll } from './journal-on-disk.ts'

/** The same files and head, on a device of its own. */
async function copy(place: JournalOnDisk): Promise<JournalOnDisk> {
  const copied = new JournalOnDisk()
  copied.keeper.state = place.keeper.state?.slice()
  await copied.device.makeDirectory('j/s')
  for (const path of place.device.files()) {
    const file = await copied.device.open(path, 'create')
    await file.write([place.device.inode(path).content()], 0)
    await file.close()
  }
  return copied
}

/** What the next owner finds, or the error. */
async function takeOver(place: JournalOnDisk): Promise<string[] | VarveError> {
  try {
    const found: string[] = []
    const journal = await place.open(9)
    await journal.replay(journalPosition(0), (payload) => void found.push(Buffer.from(payload).toString()))
    return found
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

async function closedPlace(batches: readonly string[]): Promise<JournalOnDisk> {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, batches, 'written')
  await journal.sync()
  await journal.close()
  return place
}

const FENCE = 'j/s/fence.1-1'

test('a closed journal is opened without being scanned', async () => {
  const batches = texts(100, 'a')
  const place = await closedPlace(batches)
  place.device.operations.length = 0
  const journal = await place.open(2)
  const reads = place.device.operations.filter(({ operation, path }) => operation === 'read' && path.endsWith('.log'))
  assert.equal(reads.length, place.segments().length, 'one header each')
  assert.equal(journal.end, batches.join('').length)
  const found: string[] = []
  await journal.replay(journalPosition(0), (payload) => void found.push(Buffer.from(payload).toString()))
  assert.deepEqual(found, batches)
})

interface SyncedPlace {
  readonly place: JournalOnDisk
  readonly close: () => Promise<void>
  /** Of all segments. */
  readonly bytes: () => number
}

/** A journal that has been asked for `synced`, open. */
async function syncedPlace(options: SimulatedDeviceOptions = {}): Promise<SyncedPlace> {
  const place = new JournalOnDisk()
  place.device = new SimulatedDevice(options)
  const journal = await place.open(1)
  await writeAll(journal, ['first'], 'synced')
  const bytes = (): number => place.segments().reduce((sum, path) => sum + place.device.inode(path).length, 0)
  assert.ok(bytes() >= 256, 'zeros were written ahead')
  return { place, close: () => journal.close(), bytes }
}

test('a closed journal keeps what was written, and none of the zeros ahead of it', async () => {
  const { place, close, bytes } = await syncedPlace()
  await close()
  assert.equal(bytes(), SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES + 1 + 'first'.length + FRAME_HEADER_BYTES)
  assert.deepEqual(await takeOver(place), ['first'])
})

test('where the zeros cannot be cut off, closing succeeds and they stay', async () => {
  const { place, close, bytes } = await syncedPlace({
    before: ({ operation, path }) => {
      if (operation === 'truncate' && path.endsWith('.log')) throw failure('IO_FAILED', operation, path)
    },
  })
  await close()
  assert.ok(bytes() >= 256)
  assert.deepEqual(await takeOver(place), ['first'])
})

test('an owner that was replaced cuts nothing off: its files are the next one’s', async () => {
  const { place, close, bytes } = await syncedPlace()
  const before = bytes()
  const next = await place.open(2)
  await close()
  await next.close()
  assert.equal(bytes(), before)
  assert.deepEqual(await takeOver(place), ['first'])
})

test('an owner that takes over a closed, damaged journal gets JOURNAL_CORRUPT or every batch', async () => {
  const batches = texts(40, 'a')
  const place = await closedPlace(batches)
  for (const path of place.device.files()) {
    const length = place.device.inode(path).length
    for (let offset = 0; offset < length; offset += offset < 140 || path.includes('fence') ? 1 : 29) {
      const damaged = await copy(place)
      damaged.device.inode(path).flipBit(offset, offset % 8)
      const found = await takeOver(damaged)
      if (found instanceof VarveError) assert.equal(found.code, 'JOURNAL_CORRUPT', `${path}:${offset}`)
      else assert.deepEqual(found, batches, `${path}:${offset}`)
    }
  }
})

test('the word a closing leaves may be missing or damaged: the log is scanned instead', async () => {
  const batches = texts(40, 'a')
  const place = await closedPlace(batches)
  assert.equal(place.device.inode(FENCE).length, 64)
  for (const length of [32, 33, 63]) {
    const cut = await copy(place)
    cut.device.inode(FENCE).truncate(length)
    assert.deepEqual(await takeOver(cut), batches)
  }
  for (let offset = 32; offset < 64; offset++) {
    const damaged = await copy(place)
    damaged.device.inode(FENCE).flipBit(offset, offset % 8)
    assert.deepEqual(await takeOver(damaged), batches)
  }
})

test('the end of a closed journal is missed when it is gone', async () => {
  const batches = texts(60, 'a')
  const place = await closedPlace(batches)
  const last = place.segments().at(-1) as string
  const without = await copy(place)
  await without.device.unlink(last)
  const found = await takeOver(without)
  assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT')
  const shorter = await copy(place)
  shorter.device.inode(last).truncate(100)
  const again = await takeOver(shorter)
  assert.ok(again instanceof VarveError && again.code === 'JOURNAL_CORRUPT')
})

// Who opened it to write was told by the closing, who opened it to read, or repaired it, was not.
test('where the witness has gone as well, the closing still says to who only reads that the end is missing', async () => {
  const batches = texts(60, 'a')
  const place = await closedPlace(batches)
  const last = place.segments().at(-1) as string
  await place.device.unlink('j/s/synced.1-1')
  assert.deepEqual(await place.read(), batches)
  const shorter = await copy(place)
  shorter.device.inode(last).truncate(100)
  await place.device.unlink(last)
  for (const each of [place, shorter]) {
    const found = await each.read()
    assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT', String(found))
  }
})
