/** An owner that is replaced while it takes back a write that failed: its successor may have found that write whole. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { epoch, journalPosition } from '../../src/kernel/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, SHARD, changed } from './journal-on-disk.ts'

const KEPT = 'j/s/0000000000000002-0001-00000000.log'

/** Where frames begin in the former owner's segment, and its batches. */
interface Former {
  readonly place: JournalOnDisk
  readonly journal: Journal
  readonly segment: string
  readonly offsets: readonly number[]
  readonly batches: readonly string[]
}

/** An owner at work that has written each of `batches` and synced none. */
async function written(batches: readonly string[], before: (operation: DeviceOperation) => void = () => undefined) {
  const place = new JournalOnDisk()
  place.device = new SimulatedDevice({ before })
  const journal = await place.open(1)
  const offsets: number[] = []
  for (const batch of batches) {
    const [segment = ''] = place.segments()
    offsets.push(place.segments().length === 0 ? 64 : place.device.inode(segment).length)
    await journal.append(Buffer.from(batch), 'written').written
  }
  const [segment = ''] = place.segments()
  return { place, journal, segment, offsets, batches }
}

/** As `rewind` of the former owner does, who has looked at its fence before it was replaced. */
async function cutsLast({ place, segment, offsets }: Former): Promise<void> {
  const file = await place.device.open(segment, 'write')
  await file.truncate(offsets.at(-1) as number)
  await file.close()
}

async function opened(place: JournalOnDisk, at: number): Promise<readonly [Journal, string[]]> {
  const journal = await place.open(at)
  const found: string[] = []
  await journal.replay(journalPosition(0), (payload) => void found.push(Buffer.from(payload).toString()))
  return [journal, found]
}

// JOURNAL_CORRUPT: the new owner had the frame in its log, and no file had it any more.
test('a frame that the former owner cuts off once its successor counts on it is in a file of the successor', async () => {
  for (const batches of [['first'], ['first', 'second'], ['first', 'x'.repeat(3000)]]) {
    const former = await written(batches)
    const { place } = former
    const [next, found] = await opened(place, 2)
    assert.deepEqual(found, batches)
    assert.ok(place.device.files().includes(KEPT))
    if (batches.length > 1) await cutsLast(former)
    const again: string[] = []
    await next.replay(journalPosition(0), (payload) => void again.push(Buffer.from(payload).toString()))
    assert.deepEqual(again, batches)
    await next.append(Buffer.from('later'), 'synced').synced
    assert.deepEqual(await place.read(), [...batches, 'later'])
    const [third, all] = await opened(place, 3)
    assert.deepEqual(all, [...batches, 'later'])
    await third.truncate(third.end)
    assert.ok(!place.device.files().includes(KEPT), 'it goes as any segment does')
    await Promise.all([former.journal.close(), next.close(), third.close()])
  }
})

test('what was synced, or closed, is not stored again', async () => {
  const synced = await written(['first', 'second'])
  await synced.journal.sync()
  const closed = await written(['first', 'second'])
  await closed.journal.sync()
  await closed.journal.close()
  for (const { place, batches } of [synced, closed]) {
    const [next, found] = await opened(place, 2)
    assert.deepEqual(found, batches)
    assert.ok(!place.device.files().includes(KEPT))
    await next.close()
  }
  await synced.journal.close()
})

test('a frame that is cut off while its successor recovers was never there', async () => {
  const former = await written(['first', 'second'])
  const { place, segment } = former
  let opens = 0
  place.seen = changed({
    open: async (path, mode) => {
      // For its header, for its frames, and for its last frame.
      if (path === segment && ++opens === 3) await cutsLast(former)
      return place.device.open(path, mode)
    },
  })
  const [next, found] = await opened(place, 2)
  assert.deepEqual(found, ['first'])
  assert.ok(opens > 3, 'it has been looked at again')
  await next.close()
  await former.journal.close()
})

test('a log that shrinks each time it is looked at is damaged, and not looked at for ever', async () => {
  const former = await written(['1', '2', '3', '4', '5'])
  const { place, segment, offsets } = former
  let opens = 0
  place.seen = changed({
    open: async (path, mode) => {
      if (path === segment && ++opens % 3 === 0) await cutsLast({ ...former, offsets: offsets.slice(0, 6 - opens / 3) })
      return place.device.open(path, mode)
    },
  })
  await assert.rejects(place.open(2), { code: 'JOURNAL_CORRUPT', message: /being cut while it is read/ })
  assert.equal(opens, 9)
  await former.journal.close()
})

test('where there is no space for it, or the opening fails behind it, nothing is lost, and no file stays', async () => {
  let fails: ((operation: DeviceOperation) => boolean) | undefined
  const { place, journal, batches } = await written(['first', 'second'], (operation) => {
    if (fails?.(operation) === true) throw failure('NO_SPACE', operation.operation, operation.path)
  })
  fails = ({ operation, path }) => operation === 'write' && path === KEPT
  const [next, found] = await opened(place, 2)
  assert.deepEqual(found, batches)
  assert.ok(!place.device.files().includes(KEPT))
  fails = undefined
  await next.append(Buffer.from('third'), 'written').written

  const commit = place.keeper.commit.bind(place.keeper)
  place.keeper.commit = () => Promise.reject(new VarveError('IO_FAILED', 'no head'))
  await assert.rejects(place.open(3), { code: 'IO_FAILED' })
  place.keeper.commit = commit
  const left = place.device.files().filter((path) => path.endsWith('-00000000.log'))
  assert.equal(left.length, 1)
  const [fourth, all] = await opened(place, 4)
  assert.deepEqual(all, [...batches, 'third'])
  assert.ok(!place.device.files().includes(left[0] as string), 'nothing refers to it')
  await Promise.all([journal.close(), next.close(), fourth.close()])
})

test('the copy is on stable storage before the head says that it is part of the log', async () => {
  const { place, journal, batches } = await written(['first', 'second'])
  const next = await place.system.open(SHARD, epoch(2), place.keeper)
  place.device = place.device.crash({ data: 'none', names: 'none' }, 1)
  const [third, found] = await opened(place, 3)
  assert.deepEqual(found, batches)
  await Promise.all([journal.close(), next.close(), third.close()])
})
