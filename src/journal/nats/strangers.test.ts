/** Somebody else publishes under the subject of a journal. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { POSITION_ZERO } from '../../kernel/ids.ts'
import { Place, SHARD, STREAM, found, payloadOf } from '../../../test/nats/simulated-journals.ts'
import type { Journal } from '../journal.ts'

const GREETING = new Uint8Array(Buffer.from('hello'))
const LONG = new Uint8Array(200).fill(7)

/** As `nats pub`. */
function publish(place: Place, payload = GREETING): number {
  const stored = place.server.store(STREAM, payload)
  assert.equal(stored.type, 'stored')
  return place.server.streams.get(STREAM)?.last ?? 0
}

async function appended(journal: Journal, count: number, from = 0): Promise<void> {
  for (let index = from; index < from + count; index++) await journal.append(payloadOf(index, 100), 'written').written
}

const corrupt = (sequence: number) => (error: unknown) =>
  isCode(error, 'JOURNAL_CORRUPT') && error.details['offset'] === sequence && /passOver/.test(error.message)

test('an owner passes over what somebody else publishes, and so does everybody who reads behind it', async () => {
  for (const payload of [GREETING, LONG, new Uint8Array(0)]) {
    const place = new Place()
    const journal = await place.open(1)
    await appended(journal, 2)
    publish(place, payload)
    publish(place, payload)
    await appended(journal, 1, 2)
    publish(place, payload)
    await journal.barrier()
    assert.deepEqual([...(await found(journal)).keys()], [0, 100, 200])
    const reader = await place.system().openReadOnly(SHARD, undefined)
    assert.deepEqual([...(await found(reader)).keys()], [0, 100, 200])
    const next = await place.open(2)
    assert.deepEqual([...(await found(next)).keys()], [0, 100, 200])
    await appended(next, 1, 3)
    assert.deepEqual(await place.system().strangers(SHARD), [])
    await next.truncate(next.end)
    assert.equal((await place.open(3)).end, 400)
  }
})

test('strangers who publish in the midst of many appends take nothing away, and nothing is there twice', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const place = new Place(seed)
    const streams = place.streams({ faults: { answerLost: 40, lost: 40, late: 40, lags: 40 } })
    const journal = await place.open(1, streams, { fragmentBytes: 60, windowMessages: 8, resumeMs: 60_000 })
    let count = 0
    streams.before = () => {
      if (count < 30 && place.random.once(5)) publish(place, count++ % 2 === 0 ? GREETING : LONG)
    }
    const expected = new Map<number, string>()
    for (let index = 0; index < 40; index++) {
      const payload = payloadOf(index)
      expected.set(journal.end, Buffer.from(payload).toString('hex'))
      const { written } = journal.append(payload, 'written')
      if (place.random.once(4)) await written
    }
    await journal.barrier()
    await journal.close()
    assert.ok(count > 5, `seed ${seed}: there were some`)
    assert.deepEqual(await found(await place.open(2)), expected, `seed ${seed}`)
  }
})

// The shard could not be opened any more, for ever, and nothing said what to do.
test('behind the newest record a stranger may be a damaged one: opening names it, and goes on without it when it is told to', async () => {
  const place = new Place()
  const former = await place.open(1)
  await appended(former, 2)
  const sequence = publish(place)
  const system = place.system()
  await assert.rejects(place.open(2), corrupt(sequence))
  await assert.rejects(system.openReadOnly(SHARD, undefined), corrupt(sequence))
  const strangers = await system.strangers(SHARD)
  assert.deepEqual(strangers, [{ sequence, data: GREETING }])
  const another = publish(place, LONG)
  await assert.rejects(system.passOver(SHARD, strangers), { code: 'IO_FAILED', message: /look at them again/ })
  await assert.rejects(system.passOver(SHARD, [{ sequence, data: LONG }]), { code: 'IO_FAILED' })
  await assert.rejects(place.open(2), corrupt(sequence))
  const both = await system.strangers(SHARD)
  assert.deepEqual(
    both.map((each) => each.sequence),
    [sequence, another],
  )
  await system.passOver(SHARD, both)
  assert.deepEqual(await system.strangers(SHARD), [])
  await system.passOver(SHARD, both)
  assert.deepEqual([...(await found(await system.openReadOnly(SHARD, undefined))).keys()], [0, 100])
  await assert.rejects(former.append(payloadOf(9), 'written').written, { code: 'FENCED' })
  const next = await place.open(2)
  await appended(next, 1, 2)
  assert.deepEqual([...(await found(await place.open(3))).keys()], [0, 100, 200])
})

test('a stream in which somebody else was first, or with nothing else in it, is opened when it is told to', async () => {
  const place = new Place()
  place.server.make(STREAM)
  const sequence = publish(place)
  await assert.rejects(place.open(1), corrupt(sequence))
  const system = place.system()
  await system.passOver(SHARD, await system.strangers(SHARD))
  const journal = await place.open(1)
  await appended(journal, 2)
  assert.deepEqual([...(await found(await place.open(2))).keys()], [0, 100])
})

test('a record that is damaged is none that is passed over, wherever it is: what follows it tells', async () => {
  for (const damaged of [2, 5, 7, 8]) {
    const place = new Place()
    await appended(await place.open(1), 3)
    // Its fence is message 5.
    const next = await place.open(2)
    await appended(next, 3, 3)
    const stream = place.server.streams.get(STREAM)
    assert.equal(stream?.last, 8)
    const whole = stream.messages.get(damaged) as Uint8Array
    stream.messages.set(
      damaged,
      whole.map((byte, at) => (at === whole.length - 1 ? byte ^ 1 : byte)),
    )
    await assert.rejects(found(next), corrupt(damaged), `message ${damaged}`)
    const reader = place.system().openReadOnly(SHARD, undefined)
    await assert.rejects(
      reader.then((each) => each.replay(POSITION_ZERO, () => undefined)),
      { code: 'JOURNAL_CORRUPT' },
    )
  }
})

test('where records are behind it that count for nothing without the one that is damaged, all of them are named', async () => {
  const place = new Place()
  const journal = await place.open(1)
  await appended(journal, 4)
  const stream = place.server.streams.get(STREAM)
  stream?.messages.set(3, LONG)
  // Of the newest one an earlier one says where to begin.
  await assert.rejects(found(journal), corrupt(3))
  const reader = await place.system().openReadOnly(SHARD, undefined)
  await assert.rejects(found(reader), corrupt(3))
})
