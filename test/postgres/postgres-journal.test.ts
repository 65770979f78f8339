/** What the journal on PostgreSQL does when answers are lost, over its tables in memory. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { POSITION_ZERO, journalPosition } from '../../src/kernel/ids.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { testJournal } from '../../src/testing/journal-conformance.ts'
import { Place, SHARD, values } from './memory-journal-place.ts'
import type { AppendFate } from './memory-journal-table.ts'

testJournal({
  test,
  name: 'a journal in rows, in memory',
  open: async () => {
    const place = new Place()
    return { system: () => place.system(), dispose: async () => place.stop() }
  },
})

testJournal({
  test,
  name: 'a journal in rows whose answers are lost',
  open: async () => {
    const place = new Place(7)
    const fates: readonly AppendFate[] = ['lost-before', 'lost-after', 'late', 'unconfirmed', 'refused-busy']
    place.table.fate = () =>
      place.random.once(3) ? (fates[place.random.below(fates.length)] as AppendFate) : 'answered'
    return { system: () => place.system(), dispose: async () => place.stop() }
  },
})

test('an append whose answer is lost is there once, in order, whether it was made before, late or not at all', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const place = new Place(seed)
    const { random, table } = place
    const journal = await place.open()
    const fates: readonly AppendFate[] = ['answered', 'lost-before', 'lost-after', 'late', 'refused-busy']
    table.fate = () => fates[random.below(fates.length)] as AppendFate
    const appends: Promise<void>[] = []
    for (let index = 0; index < 60; index++) {
      const { written, synced } = journal.append(Uint8Array.of(index), random.once(3) ? 'synced' : 'written')
      appends.push(synced ?? written)
      if (random.once(4)) await written
    }
    await Promise.all(appends)
    assert.deepEqual(
      await values(journal),
      Array.from({ length: 60 }, (_, index) => index),
      `seed ${seed}`,
    )
    place.stop()
  }
})

test('appends that come while another is under way share the next statement', async () => {
  const place = new Place()
  const journal = await place.open()
  const first = journal.append(Uint8Array.of(0), 'written').written
  await Promise.resolve()
  const others = Array.from({ length: 50 }, (_, index) => journal.append(Uint8Array.of(index + 1), 'written').written)
  await Promise.all([first, ...others])
  assert.deepEqual(
    place.table.done.map(({ rows }) => rows.map(({ size }) => size)),
    [[1], [50]],
  )
  place.stop()
})

test('nothing that was synced is lost when the server crashes, and a writer that lost what was only written takes no more', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.append(Uint8Array.of(1), 'synced').synced
  await journal.append(Uint8Array.of(2), 'written').written
  place.table.crash()
  const late = journal.append(Uint8Array.of(3), 'synced')
  await assert.rejects(late.written, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(journal.append(Uint8Array.of(4), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  assert.deepEqual(await values(await place.open()), [1])
  place.stop()
})

test('a barrier tells that the server has lost what was written', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.append(Uint8Array.of(1), 'written').written
  await journal.barrier()
  place.table.crash()
  await assert.rejects(journal.barrier(), { code: 'OUTCOME_UNKNOWN' })
  place.stop()
})

test('what no standby has confirmed is synced only after another commit that they have', async () => {
  const place = new Place()
  const journal = await place.open()
  for (const fate of ['unconfirmed', 'lost-after'] as const) {
    const fates: AppendFate[] = [fate]
    place.table.fate = () => fates.shift() ?? 'answered'
    const before = place.table.done.length
    await journal.append(Uint8Array.of(1), 'synced').synced
    const made = place.table.done.slice(before)
    assert.deepEqual(
      made.map(({ rows, durable }) => [rows.length, durable]),
      [
        [1, true],
        [0, true],
      ],
      fate,
    )
  }
  place.stop()
})

test('nobody waits for a sync of what is synced already', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.append(Uint8Array.of(1), 'written').written
  await journal.append(Uint8Array.of(2), 'synced').synced
  const before = place.table.done.length
  place.table.fate = () => 'lost-before'
  await journal.sync()
  assert.equal(place.table.done.length, before)
  place.table.fate = () => 'answered'
  await journal.append(Uint8Array.of(3), 'written').written
  await journal.sync()
  assert.equal(place.table.done.at(-1)?.durable, true, 'something was only written since')
  place.stop()
})

test('a server that does not come back leaves appends of unknown outcome', async () => {
  const place = new Place()
  const journal = await place.open()
  place.table.fate = () => 'lost-before'
  const appends = [1, 2].map((value) => journal.append(Uint8Array.of(value), 'written').written)
  for (const written of appends) await assert.rejects(written, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(journal.sync(), { code: 'OUTCOME_UNKNOWN' })
  place.stop()
})

test('an append for which there is no space is taken back with all that followed it, and later ones go on', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.append(Uint8Array.of(1), 'written').written
  place.table.fate = () => 'refused-full'
  const refused = [2, 3].map((value) => journal.append(Uint8Array.of(value), 'written').written)
  for (const written of refused) await assert.rejects(written, { code: 'NO_SPACE' })
  place.table.fate = () => 'answered'
  assert.deepEqual([journal.end, journal.pendingBytes], [1, 0])
  await journal.append(Uint8Array.of(5), 'synced').synced
  assert.deepEqual(await values(journal), [1, 5])
  place.stop()
})

test('an append that may have been made is not said to be refused for want of space', async () => {
  const place = new Place()
  const journal = await place.open()
  const fates: AppendFate[] = ['lost-before', 'refused-full']
  place.table.fate = () => fates.shift() ?? 'answered'
  await assert.rejects(journal.append(Uint8Array.of(1), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  place.stop()
})

for (const [fate, code] of [
  ['refused-login', 'PERMISSION_DENIED'],
  ['away', 'IO_FAILED'],
] as const) {
  test(`appends that were never sent are ${code}, taken back with all that followed, and later ones go on`, async () => {
    const place = new Place()
    const journal = await place.open()
    await journal.append(Uint8Array.of(1), 'written').written
    place.table.fate = () => fate
    const refused = [2, 3].map((value) => journal.append(Uint8Array.of(value), 'synced'))
    for (const { written, synced } of refused) {
      await assert.rejects(written, { code })
      await assert.rejects(synced as Promise<void>, { code })
    }
    await assert.rejects(journal.sync(), { code })
    place.table.fate = () => 'answered'
    assert.deepEqual([journal.end, journal.pendingBytes], [1, 0])
    await journal.append(Uint8Array.of(5), 'synced').synced
    assert.deepEqual(await values(journal), [1, 5])
    place.stop()
  })
}

test('an append that was sent is found out about when the login is let in again, and not before', async () => {
  const place = new Place()
  const journal = await place.open()
  const fates: AppendFate[] = ['lost-after', 'refused-login', 'refused-login']
  place.table.fate = () => fates.shift() ?? 'answered'
  await journal.append(Uint8Array.of(1), 'written').written
  place.table.fate = () => (fates.shift() === undefined ? 'refused-login' : 'lost-before')
  fates.push('lost-before')
  await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  place.stop()
})

// It was told that there was no space for it, while it was there.
test('an append that no standby has confirmed is not taken back where the commit behind it is refused', async () => {
  for (const refusal of ['refused-full', 'refused-login'] as const) {
    const place = new Place()
    const journal = await place.open()
    const fates: AppendFate[] = ['unconfirmed', refusal]
    place.table.fate = () => fates.shift() ?? 'answered'
    await assert.rejects(journal.append(Uint8Array.of(1), 'synced').written, { code: 'OUTCOME_UNKNOWN' }, refusal)
    place.stop()
  }
})

test('damaged, moved and missing rows are JOURNAL_CORRUPT, wherever they are', async () => {
  const place = new Place()
  const journal = await place.open()
  for (let index = 0; index < 6; index++) await journal.append(new Uint8Array(40_000).fill(index), 'written').written
  await journal.append(new Uint8Array(3 * MIB).fill(6), 'written').written
  const last = journal.end - 1
  for (let at = 0; at < 9; at++) {
    for (const how of ['missing', 'damaged', 'moved'] as const) {
      let before: readonly unknown[] = []
      place.table.damage(SHARD, (rows) => {
        before = rows
        return rows.flatMap((row, index) => {
          if (index !== at) return [row]
          if (how === 'missing') return []
          if (how === 'damaged') return [{ ...row, content: row.content.map((byte) => byte ^ 1) }]
          return [{ ...row, batch: row.batch + 1 }]
        })
      })
      await assert.rejects(values(journal), { code: 'JOURNAL_CORRUPT' }, `${how} ${at}`)
      if (at === 8) await assert.rejects(journal.read(journalPosition(last), 1), { code: 'JOURNAL_CORRUPT' }, how)
      place.table.damage(SHARD, () => before as never)
    }
  }
  assert.deepEqual(await values(journal), [0, 1, 2, 3, 4, 5, 6])
  assert.deepEqual(await journal.read(journalPosition(last), 1), Uint8Array.of(6))
  place.stop()
})

test('truncation keeps the batch that has the position, however many rows it is in', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.append(Uint8Array.of(1), 'written').written
  await journal.append(new Uint8Array(3 * MIB).fill(2), 'written').written
  await journal.truncate(journalPosition(2 * MIB))
  assert.equal(journal.start, 1)
  assert.deepEqual(await values(journal, 1), [2])
  await assert.rejects(
    journal.replay(POSITION_ZERO, () => {}),
    { code: 'JOURNAL_CORRUPT' },
  )
  place.stop()
})

test('an owner hears that another opening has its journal, though of the same epoch', async () => {
  const place = new Place()
  const journal = await place.open()
  await journal.replay(POSITION_ZERO, () => undefined)
  await journal.append(Uint8Array.of(1), 'written').written
  await journal.barrier()
  await place.table.claim(SHARD, 1, 'another opening')
  await assert.rejects(journal.barrier(), { code: 'FENCED' })
  await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, { code: 'FENCED' })
  await journal.close()
  place.stop()
})
