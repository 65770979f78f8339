import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../../kernel/ids.ts'
import type { Clock } from '../../kernel/clock.ts'
import { testJournal } from '../../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { Place, SHARD, STREAM, found, payloadOf } from '../../../test/nats/simulated-journals.ts'
import type { Append, Journal } from '../journal.ts'

testJournal({
  test,
  name: 'a journal on simulated streams',
  open: () => {
    const place = new Place()
    return Promise.resolve({ system: () => place.system() })
  },
})

testJournal({
  test,
  name: 'a journal in tiny messages, a few at a time',
  open: () => {
    const place = new Place()
    const settings = { fragmentBytes: 60_000, windowMessages: 3 }
    return Promise.resolve({ system: () => place.system(place.streams(), settings) })
  },
})

const settledAs = (written: Promise<void>): Promise<string> =>
  written.then(
    () => 'written',
    (error: unknown) => (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'NO_SPACE') ? error.code : String(error)),
  )

test('answers that are lost, messages that come late and servers that lag lose and repeat nothing', async () => {
  let recoveries = 0
  for (let seed = 1; seed <= 25; seed++) {
    const place = new Place(seed)
    const { random } = place
    const faults = { answerLost: 20, lost: 20, late: 20, lags: 4 }
    const streams = place.streams({ faults })
    const sent = new Set<number>()
    streams.before = () => void sent.add(place.server.streams.get(STREAM)?.last ?? 0)
    // Half of all tries to read back fail.
    const journal = await place.open(1, streams, { fragmentBytes: 100, windowMessages: 8, resumeMs: 20_000 })
    const expected = new Map<number, string>()
    for (let index = 0; index < 40; index++) {
      const payload = payloadOf(index)
      expected.set(journal.end, Buffer.from(payload).toString('hex'))
      const { written } = journal.append(payload, 'written')
      if (random.once(4)) await written
      if (random.once(10)) await journal.barrier()
    }
    await journal.close()
    const last = place.server.streams.get(STREAM)?.last ?? 0
    recoveries += last > 0 ? 1 : 0
    const next = await place.open(2)
    assert.deepEqual(await found(next), expected, `seed ${seed}: every batch once, in order`)
    assert.equal(next.end, journal.end, `seed ${seed}`)
  }
  assert.equal(recoveries, 25)
})

test('of owners that take over under load, each finds what its predecessors were told is written, and no more of theirs comes', async () => {
  const outcomes = new Map<string, number>()
  for (let seed = 1; seed <= 20; seed++) {
    const place = new Place(seed)
    const faults = { answerLost: 25, lost: 25, late: 25, lags: 10 }
    const acknowledged = new Map<number, string>()
    const offered = new Map<string, number>()
    let former: { readonly journal: Journal; readonly appends: Append[] } | undefined
    for (let owner = 1; owner <= 4; owner++) {
      const writing = former === undefined ? undefined : keepWriting(former.journal, former.appends, place.clock)
      const journal = await place.open(owner, place.streams({ faults }), { fragmentBytes: 100 })
      const before = await found(journal)
      writing?.stop()
      await writing?.done
      for (const { end, written } of former?.appends ?? []) {
        const outcome = await settledAs(written)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        if (outcome === 'written')
          assert.ok(
            [...before.keys()].some((at) => at < end),
            `seed ${seed}: ${end} was written`,
          )
        else assert.match(outcome, /FENCED|OUTCOME_UNKNOWN/, `seed ${seed}`)
      }
      for (const [position, content] of acknowledged)
        assert.equal(before.get(position), content, `seed ${seed}: what was written before owner ${owner} is there`)
      const after = await found(journal)
      assert.deepEqual(after, before, `seed ${seed}: nothing of a former owner comes after the fence`)
      const appends: Append[] = []
      for (let index = 0; index < 10; index++) {
        const payload = payloadOf(owner * 100 + index)
        const position = journal.end
        const append = journal.append(payload, 'written')
        offered.set(`${owner}/${position}`, payload.length)
        const outcome = await settledAs(append.written)
        if (outcome === 'written') acknowledged.set(position, Buffer.from(payload).toString('hex'))
        else break
      }
      former = { journal, appends }
    }
  }
  assert.ok((outcomes.get('FENCED') ?? 0) > 50, `${JSON.stringify([...outcomes])}: owners were fenced while they wrote`)
})

function keepWriting(
  journal: Journal,
  appends: Append[],
  clock: Clock,
): { stop(): void; readonly done: Promise<void> } {
  let stopped = false
  const done = (async () => {
    for (let index = 0; !stopped; index++) {
      appends.push(journal.append(payloadOf(index), 'written'))
      appends.at(-1)?.written.catch(() => undefined)
      await clock.turn()
      await journal.ready().catch(() => undefined)
    }
  })()
  return { stop: () => void (stopped = true), done }
}

// It read back what there was behind its own last record, found no fence, and went on behind the next owner's records.
test('an owner is fenced also where the next one has removed its own fence by then', async () => {
  for (const unasked of [0, 3]) {
    const place = new Place()
    const former = await place.open(1)
    await former.append(payloadOf(0), 'written').written
    const owner = await place.open(2)
    for (let index = 1; index <= 1 + unasked; index++) await owner.append(payloadOf(index), 'written').written
    await owner.truncate(owner.end)
    assert.equal(place.server.streams.get(STREAM)?.messages.size, 1, 'the fence has been removed')
    const { written } = former.append(payloadOf(10), 'written')
    await assert.rejects(written, { code: 'FENCED', details: { epoch: 2 } })
    await assert.rejects(former.barrier(), { code: 'FENCED' })
    const { end } = owner.append(payloadOf(11), 'written')
    await owner.close()
    assert.equal((await place.open(3)).end, end)
  }
})

test('what is not answered for long is of unknown outcome, and ends the writer', async () => {
  const place = new Place()
  const streams = place.streams()
  const journal = await place.open(1, streams)
  await journal.append(payloadOf(1), 'written').written
  streams.cut = true
  const append = journal.append(payloadOf(2), 'written')
  assert.equal(await settledAs(append.written), 'OUTCOME_UNKNOWN')
  streams.cut = false
  assert.equal(await settledAs(journal.append(payloadOf(3), 'written').written), 'OUTCOME_UNKNOWN')
  assert.equal((await found(await place.open(2))).size, 1)
})

test('a stream that is full takes back what did not fit, and goes on when there is space', async () => {
  const place = new Place()
  const journal = await place.open(1, place.streams(), { fragmentBytes: 100 })
  await journal.append(payloadOf(1, 50), 'written').written
  place.server.messagesMax = 4
  // Two of its four messages fit.
  const refused = [journal.append(payloadOf(2, 400), 'written'), journal.append(payloadOf(3, 10), 'written')]
  for (const { written } of refused) assert.equal(await settledAs(written), 'NO_SPACE')
  assert.equal(journal.end, 50)
  assert.equal(journal.pendingBytes, 0)
  place.server.messagesMax = Infinity
  await journal.append(payloadOf(4, 30), 'written').written
  const expected = new Map([
    [0, Buffer.from(payloadOf(1, 50)).toString('hex')],
    [50, Buffer.from(payloadOf(4, 30)).toString('hex')],
  ])
  assert.deepEqual(await found(journal), expected)
  assert.deepEqual(await found(await place.open(2)), expected)
})

test('half a batch of an owner that died is not found, and its place is taken', async () => {
  const place = new Place()
  const streams = place.streams()
  const journal = await place.open(1, streams, { fragmentBytes: 10, resumeMs: 20 })
  await journal.append(payloadOf(1, 25), 'written').written
  let left = 2
  streams.before = () => {
    if (--left === 0) streams.cut = true
  }
  assert.equal(await settledAs(journal.append(payloadOf(2, 95), 'written').written), 'OUTCOME_UNKNOWN')
  assert.ok((place.server.streams.get(STREAM)?.last ?? 0) > 4, 'some of it is there')
  const next = await place.open(2)
  assert.deepEqual([...(await found(next)).keys()], [0])
  await next.append(payloadOf(3, 5), 'written').written
  assert.deepEqual([...(await found(await place.open(3))).keys()], [0, 25])
})

test('a byte that was changed, a record that is missing and a stream that was made anew are JOURNAL_CORRUPT', async () => {
  const place = new Place()
  const journal = await place.open(1)
  for (let index = 0; index < 10; index++) await journal.append(payloadOf(index, 100), 'written').written
  const stream = place.server.streams.get(STREAM)
  assert.ok(stream !== undefined)
  const corrupt = (error: unknown): boolean => isCode(error, 'JOURNAL_CORRUPT')
  const whole = stream.messages.get(5) as Uint8Array
  for (let at = 0; at < whole.length; at += 7) {
    stream.messages.set(
      5,
      whole.map((byte, index) => (index === at ? byte ^ 4 : byte)),
    )
    await assert.rejects(found(journal), corrupt, `byte ${at}`)
  }
  stream.messages.delete(5)
  await assert.rejects(found(journal), corrupt, 'a record is missing')
  assert.equal((await found(journal, 400)).size, 6, 'behind it everything is there')
  stream.messages.set(5, whole)
  assert.equal((await found(journal)).size, 10)
  await assert.rejects(
    place.system().open(SHARD, epoch(2), place.keeper, journalPosition(1001)),
    corrupt,
    'more was needed than there is',
  )
  await assert.rejects(place.system().openReadOnly(SHARD, undefined, journalPosition(1001)), corrupt)
  await journal.truncate(journalPosition(1000))
  await assert.rejects(
    place.system().open(SHARD, epoch(2), place.keeper, journalPosition(500)),
    corrupt,
    'it has been truncated further than what is needed',
  )
  place.server.streams.delete(STREAM)
  await assert.rejects(place.open(3), corrupt, 'the stream was removed')
})

test('a record of one shard is damaged in the stream of another', async () => {
  const place = new Place()
  const journal = await place.open(1)
  await journal.append(payloadOf(1), 'written').written
  const other = await place.system().open(shardId('shard-2'), epoch(1), new MemoryStateKeeper())
  await other.append(payloadOf(2), 'written').written
  const message = place.server.streams.get(STREAM)?.messages.get(2)
  assert.ok(message !== undefined)
  place.server.streams.get('varve-journal-shard-2')?.messages.set(2, message)
  await assert.rejects(
    other.replay(POSITION_ZERO, () => undefined),
    (error) => isCode(error, 'JOURNAL_CORRUPT'),
  )
})

test('settings are checked by name', () => {
  const place = new Place()
  for (const settings of [
    { prefix: 'a.b' },
    { replicas: 2 },
    { fragmentBytes: 0 },
    { windowMessages: 1.5 },
    { pendingBytesMax: -1 },
    { resumeMs: Number.NaN },
  ]) {
    const [name] = Object.keys(settings)
    assert.throws(() => place.system(place.streams(), settings), new RegExp(String(name)))
  }
})
