/** Recovery where files go, shrink or cannot be asked for while it looks at them, and where foreign ones lie about. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { epoch, journalPosition } from '../../src/kernel/ids.ts'
import { segmentName } from '../../src/journal/segment-id.ts'
import { SyncWitness, readWitness } from '../../src/journal/sync-witness.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, SHARD, changed, texts, writeAll } from './journal-on-disk.ts'

async function written(batches: readonly string[], durability: 'written' | 'synced'): Promise<JournalOnDisk> {
  const place = new JournalOnDisk()
  await writeAll(await place.open(1), batches, durability)
  place.device = place.device.kill({})
  return place
}

test('a segment of an owner nobody has committed stops who takes over, and who only reads', async () => {
  const batches = texts(5, 'a')
  const place = await written(batches, 'synced')
  const name = `j/s/${segmentName({ epoch: 7, attempt: 1, index: 1 })}`
  await (await place.device.open(name, 'create')).close()
  await place.device.makeDirectory(`j/s/${segmentName({ epoch: 8, attempt: 1, index: 1 })}`)
  // The head that is read may be older than the journal: whoever reads it looks for a newer one.
  const read = await place.read()
  assert.ok(read instanceof VarveError && read.code === 'JOURNAL_CORRUPT')
  await assert.rejects(place.open(9), (error: VarveError) => {
    assert.equal(error.code, 'JOURNAL_CORRUPT')
    assert.equal(error.details['file'], name, 'a directory of such a name is no segment')
    return true
  })
})

test('a journal that nobody has opened is empty to who reads it; one that cannot be listed or opened is not', async () => {
  const never = new JournalOnDisk()
  assert.deepEqual(await never.read(), [])
  const place = await written(texts(5, 'a'), 'synced')
  for (const operation of ['list', 'open'] as const) {
    const path = operation === 'list' ? 'j/s' : (place.segments()[0] as string)
    place.device = place.device.kill({
      before: (asked) => {
        if (asked.operation === operation && asked.path === path) throw failure('IO_FAILED', operation, path)
      },
    })
    const found = await place.read()
    assert.ok(found instanceof VarveError && found.code === 'IO_FAILED', operation)
  }
})

test('segments of former owners that are dropped while they are looked at matter to who reads them only', async () => {
  const place = new JournalOnDisk()
  const [first, second] = [texts(30, 'a'), texts(5, 'b')]
  await writeAll(await place.open(1), first, 'synced')
  place.device = place.device.kill({})
  await writeAll(await place.open(2), second, 'synced')
  place.device = place.device.kill({})
  const oldest = place.segments()[0] as string
  place.seen = changed({
    // The owner truncates between the list and this look.
    stat: async (path) => {
      if (path === oldest && place.segments().includes(oldest)) await place.device.unlink(oldest)
      return place.device.stat(path)
    },
  })
  assert.deepEqual(await place.read(first.join('').length), second)
  const found = await place.read(0)
  assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT')
})

test('a segment that shrinks while it is made durable is a loss that is told, not a shorter log', async () => {
  const place = await written(texts(12, 'a'), 'written')
  const path = place.segments()[0] as string
  place.seen = changed({
    open: async (opened, mode) => {
      const file = await place.device.open(opened, mode)
      if (opened === path && mode === 'write') await file.truncate(100)
      return file
    },
  })
  await assert.rejects(place.open(2), { code: 'JOURNAL_CORRUPT', message: /has shrunk/ })
})

// JOURNAL_CORRUPT, for a host whose connection had been away: it opened its journal again while others took it over.
test('an owner that recovers what a later one has truncated meanwhile is FENCED', async () => {
  const place = new JournalOnDisk()
  const former = await place.open(1)
  await writeAll(former, texts(60, 'former'), 'synced')
  const [oldest] = place.segments()
  let replaced = false
  place.seen = changed({
    open: async (path, mode) => {
      if (path === oldest && !replaced) {
        replaced = true
        place.seen = (device) => device
        const later = await place.open(3)
        await later.replay(journalPosition(0), () => undefined)
        await later.append(Buffer.from('later'), 'synced').synced
        await later.truncate(journalPosition(later.end - 1))
        await later.close()
      }
      return place.device.open(path, mode)
    },
  })
  const needed = journalPosition(0)
  await assert.rejects(place.system.open(SHARD, epoch(2), place.keeper, needed), { code: 'FENCED' })
  assert.deepEqual(await place.read(former.end), ['later'])
  await former.close()
})

test('a closed log none of whose segments is there is a loss', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, texts(5, 'a'), 'synced')
  await journal.close()
  for (const path of place.segments()) await place.device.unlink(path)
  const next = await place.open(2)
  await assert.rejects(
    next.replay(0 as never, () => {}),
    { code: 'JOURNAL_CORRUPT' },
  )
})

test('without its first segment an unsynced log is empty to who needs all of it, and goes on for who does not', async () => {
  const batches = texts(60, 'a')
  const place = await written(batches, 'written')
  assert.ok(place.segments().length > 1)
  assert.deepEqual(await place.read(), batches)
  await place.device.unlink(place.segments()[0] as string)
  assert.deepEqual(await place.read(0, 0), [])
  const last = batches.slice(-3)
  const start = batches.join('').length - last.join('').length
  assert.deepEqual(await place.read(start, start), last)
})

test('a witness of a position that cannot be bears witness of nothing', async () => {
  const device = new SimulatedDevice()
  const opening = { epoch: 1, attempt: 1 }
  await device.makeDirectory('j')
  const witness = new SyncWitness(device, 'j', opening, 7)
  await witness.open()
  await witness.write(123)
  assert.equal(await readWitness(device, 'j', opening, 7), 123)
  await witness.write(2 ** 53)
  assert.equal(await readWitness(device, 'j', opening, 7), 0)
  await witness.close()
})
