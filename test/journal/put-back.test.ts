/** Segments that are missing as a whole: the error names them, and once they are put back nothing is missing. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { POSITION_ZERO, epoch } from '../../src/kernel/ids.ts'
import { JournalOnDisk, SHARD, texts, writeAll } from './journal-on-disk.ts'

const BATCHES = [texts(60, 'a'), texts(60, 'b'), texts(60, 'c')] as const

/** Three owners with several segments each, the last of them killed or closed. */
async function written(closes: boolean): Promise<JournalOnDisk> {
  const place = new JournalOnDisk()
  for (const [index, batches] of BATCHES.entries()) {
    const journal = await place.open(index + 1)
    await writeAll(journal, batches, 'synced')
    if (closes) await journal.close()
  }
  return place
}

async function openAndReplay(place: JournalOnDisk, at: number): Promise<string[] | VarveError> {
  try {
    const journal = await place.system.open(SHARD, epoch(at), place.keeper, POSITION_ZERO)
    const found: string[] = []
    await journal.replay(POSITION_ZERO, (payload) => void found.push(Buffer.from(payload).toString()))
    await journal.close()
    return found
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

for (const closes of [true, false]) {
  // An opening that met JOURNAL_CORRUPT had recorded a log without the segment: back in its place it was ignored, and removed.
  test(`a segment that is put back after openings that missed it is read again, ${closes ? 'closed' : 'killed'}`, async () => {
    const { length } = (await written(closes)).segments()
    assert.ok(length >= 9)
    for (let index = 0; index < length; index++) {
      const place = await written(closes)
      const path = place.segments().toSorted()[index] as string
      await place.device.rename(path, 'aside')
      for (const at of [4, 5]) {
        const error = await openAndReplay(place, at)
        assert.ok(error instanceof VarveError && error.code === 'JOURNAL_CORRUPT', String(error))
        const name = path.slice(path.lastIndexOf('/') + 1)
        assert.ok(error.message.includes(name), `${name} is not named: ${error.message}`)
        if (closes && at === 4) assert.equal(error.details['file'], path)
      }
      await place.device.rename('aside', path)
      assert.deepEqual(await openAndReplay(place, 6), BATCHES.flat())
    }
  })
}

for (const closes of [true, false]) {
  test(`a last segment that was emptied is named as cut, ${closes ? 'closed' : 'killed'}`, async () => {
    const place = await written(closes)
    // Whatever lies before it is of the owner before, or was dropped.
    const own = place.segments().filter((path) => path.includes('/0000000000000003-'))
    for (const path of own) await (await place.device.open(path, 'write')).truncate(0)
    const error = await openAndReplay(place, 4)
    assert.ok(error instanceof VarveError && error.code === 'JOURNAL_CORRUPT', String(error))
    const [former, last] = own.toSorted().slice(-2)
    assert.ok(last !== undefined)
    // Of one that was not closed, an empty file at the end may be the one that would have been next.
    assert.equal(error.details['file'], closes ? last : former)
    assert.match(error.message, /it was cut/)
    assert.ok(error.message.includes(last.slice(last.lastIndexOf('/') + 1)), error.message)
  })
}

test('where nothing tells which segment is missing, the error says whose', async () => {
  const place = new JournalOnDisk()
  const journal = await place.open(1)
  await writeAll(journal, BATCHES[0], 'synced')
  for (const path of place.segments()) await place.device.unlink(path)
  // All before was in tables by then.
  const error = await place.read(100, 100)
  assert.ok(error instanceof VarveError && error.code === 'JOURNAL_CORRUPT', String(error))
  assert.match(error.message, /positions 100…\d+ are missing: a file from 0{15}1-0001-00000001\.log on has gone/)
})
