// Which logs in PostgreSQL a shard opens, and which it does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journalPosition } from '../../src/kernel/ids.ts'
import { Place, SHARD } from './memory-journal-place.ts'

test('a log that begins after what is needed, or ends before where it once did, does not open', async () => {
  const place = new Place()
  const journal = await place.open()
  for (let index = 0; index < 4; index++) await journal.append(new Uint8Array(60_000), 'written').written
  await journal.truncate(journalPosition(120_000))
  await place.open(120_000)
  await assert.rejects(place.open(119_999), { code: 'JOURNAL_CORRUPT' })
  await assert.rejects(place.open(240_001), { code: 'JOURNAL_CORRUPT' })
  const set = new Place()
  set.keeper.state = place.keeper.state
  await assert.rejects(set.open(), { code: 'JOURNAL_CORRUPT' })
  await assert.rejects(set.system().openReadOnly(SHARD, place.keeper.state), { code: 'JOURNAL_CORRUPT' })
  const damaged = place.keeper.state?.map((byte, index) => (index === 1 ? byte ^ 1 : byte))
  await assert.rejects(place.system().openReadOnly(SHARD, damaged), { code: 'JOURNAL_CORRUPT' })
  for (const each of [place, set]) each.stop()
})

// It was opened without them: synced writes were lost, and the next append met a key that is there.
test('a log with rows behind its end does not open, and one that grows while it is opened to be read does', async () => {
  const place = new Place()
  const journal = await place.open()
  for (let index = 0; index < 4; index++) await journal.append(new Uint8Array(60_000), 'written').written
  const rowsEnd = place.table.rowsEnd.bind(place.table)
  place.table.rowsEnd = async (shard) => {
    place.table.rowsEnd = rowsEnd
    await journal.append(Uint8Array.of(4), 'written').written
    return rowsEnd(shard)
  }
  await (await place.system().openReadOnly(SHARD, place.keeper.state)).close()
  place.table.damage(SHARD, (found) => [...found, { ...(found.at(-1) ?? assert.fail()), position: journal.end }])
  await assert.rejects(place.system().openReadOnly(SHARD, place.keeper.state), { code: 'JOURNAL_CORRUPT' })
  await assert.rejects(place.open(), /rows up to 240002, behind where the log ends.*put journal and journal_row back/)
  place.stop()
})

test('a server that has stopped to sync since is refused', async () => {
  const place = new Place()
  await place.open()
  place.honest = false
  await assert.rejects(place.open(), { code: 'UNSUPPORTED' })
  place.stop()
})
