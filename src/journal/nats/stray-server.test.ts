/**
 * A server that has just come back has writes that the others have dropped, and answers reads of many messages; a single
 * message only the leader answers.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { POSITION_ZERO } from '../../kernel/ids.ts'
import { Place, SHARD, STREAM, found, payloadOf } from '../../../test/nats/simulated-journals.ts'
import type { SimulatedStreams } from '../../../test/nats/simulated-streams.ts'
import { RecordCodec } from './record.ts'

const diverges = (error: unknown): boolean => isCode(error, 'IO_FAILED') && /than its leader/.test(error.message)

const hexOf = (payload: Uint8Array): string => Buffer.from(payload).toString('hex')

class StrayPlace extends Place {
  /** What one server has, in the place of what the others have. */
  readonly strays = new Map<number, Uint8Array>()
  /** So many reads are answered by it. */
  astray = 0

  strayStreams(): SimulatedStreams {
    const streams = this.streams()
    const read = streams.read.bind(streams)
    streams.read = (stream, from, last, visit) => {
      const other = this.astray > 0
      if (other) this.astray--
      return read(stream, from, last, (message) => {
        const stray = other ? this.strays.get(message.sequence) : undefined
        visit(stray === undefined ? message : { sequence: message.sequence, data: stray })
      })
    }
    return streams
  }

  /** The others drop what was stored last. */
  drop(): void {
    const stream = this.server.streams.get(STREAM)
    assert.ok(stream !== undefined)
    const { last, messages } = stream
    this.strays.set(last, messages.get(last) as Uint8Array)
    messages.delete(last)
    stream.last = last - 1
  }
}

/** A fence, a batch, and those that only a server has which was cut off: the next owner's fence is there. */
async function strayed(lengths: readonly number[] = [12]): Promise<StrayPlace> {
  const place = new StrayPlace()
  const first = await place.open(1)
  await first.append(payloadOf(1), 'written').written
  for (const length of lengths) await first.append(payloadOf(2, length), 'written').written
  for (const _ of lengths) place.drop()
  return place
}

test('a server that has something else than its leader is not believed', async () => {
  const place = await strayed()
  const streams = place.strayStreams()
  const second = await place.open(2, streams)
  const reader = await place.system(streams).openReadOnly(SHARD, undefined)
  place.astray = Infinity
  await assert.rejects(found(second), diverges, 'the next write would have followed one that is not there')
  await assert.rejects(
    reader.replay(POSITION_ZERO, () => undefined),
    diverges,
  )
  await assert.rejects(place.open(3, streams), diverges, 'nor where the log ends is taken from it')
  // One that says nothing of the log, too.
  const codec = new RecordCodec(await loadHash(), SHARD, STREAM)
  const nothing = { serial: 0, confirmed: 0, position: 0, batchBytes: 0, offset: 0, payload: new Uint8Array(0) }
  place.strays.set(3, codec.encode({ kind: 'knock', epoch: 1, owner: 'c'.repeat(16), ...nothing }))
  await assert.rejects(place.open(3, streams), diverges)
  place.astray = 0
  assert.equal((await found(second)).size, 1)
  await (await place.open(4, streams)).append(payloadOf(3), 'written').written
})

test('where such a server answers first, a replay that can begin again does, by itself', async () => {
  const place = await strayed()
  const streams = place.strayStreams()
  const second = await place.open(2, streams)
  const reader = await place.system(streams).openReadOnly(SHARD, undefined)
  for (const journal of [second, reader]) {
    place.astray = 3
    let visited: string[] = []
    let begun = 1
    const end = await journal.replay(
      POSITION_ZERO,
      (payload) => void visited.push(hexOf(payload)),
      () => {
        begun++
        visited = []
      },
    )
    assert.deepEqual(visited, [hexOf(payloadOf(1))])
    assert.deepEqual([begun, end], [4, payloadOf(1).length])
  }
  place.astray = Infinity
  const sinceMs = place.clock.monotonic()
  await assert.rejects(
    second.replay(
      POSITION_ZERO,
      () => undefined,
      () => undefined,
    ),
    diverges,
    'not for ever',
  )
  assert.ok(place.clock.monotonic() - sinceMs >= 2_000)
})

test('what such a server has is not taken for the log, however well the rest fits', async () => {
  // Of the length of what the next owner wrote: by positions alone nobody would notice.
  for (const [strays, length] of [
    [[12], 12],
    [[12], 7],
    // Nothing of the next owner is left but that somebody comes after it.
    [[3, 4], 7],
  ] as const) {
    const place = await strayed(strays)
    const second = await place.open(2)
    const written = new Uint8Array(length).fill(7)
    await second.append(written, 'written').written
    const streams = place.strayStreams()
    // It is asked where the log ends, too.
    place.astray = Infinity
    const opening = place.open(3, streams)
    place.astray = 2
    const third = await opening
    assert.equal(third.end, payloadOf(1).length + length)
    place.astray = Infinity
    await assert.rejects(found(third), diverges, 'which is no damage: the leader has what is right')
    place.astray = 0
    assert.deepEqual([...(await found(third)).values()], [hexOf(payloadOf(1)), hexOf(written)])
  }
})

test('a record that one server alone has damaged or lost is no damage of the log', async () => {
  const place = new StrayPlace()
  const journal = await place.open(1, place.strayStreams())
  for (let index = 0; index < 5; index++) await journal.append(payloadOf(index, 100), 'written').written
  place.strays.set(4, new Uint8Array(100))
  place.astray = 1
  await assert.rejects(found(journal), diverges)
  place.astray = 1
  const before: number[] = []
  await journal.replay(
    POSITION_ZERO,
    (_, position) => void before.push(position),
    () => void before.splice(0),
  )
  assert.deepEqual(before, [0, 100, 200, 300, 400])
  assert.equal((await found(journal, 400)).size, 1)
})

/**
 * An owner whose last write is in its place on one server only, and which asks that one what became of it.
 *
 * @param before it is answered
 */
async function asking(
  before: (place: StrayPlace, streams: SimulatedStreams) => Promise<void>,
): Promise<{ readonly outcome: Promise<string> }> {
  const place = new StrayPlace()
  const streams = place.strayStreams()
  const first = await place.open(1, streams)
  await first.append(payloadOf(1), 'written').written
  streams.faults = { ...streams.faults, answerLost: 1 }
  const outcome = first.append(payloadOf(2), 'written').written.then(
    () => 'written',
    (error: unknown) => (isCode(error, 'FENCED') ? 'FENCED' : String(error)),
  )
  while (place.server.streams.get(STREAM)?.last !== 3) await place.clock.turn()
  place.drop()
  await place.open(2)
  await before(place, streams)
  streams.faults = { ...streams.faults, answerLost: Infinity }
  return { outcome }
}

test('what one server alone has is not acknowledged to an owner that asks', async () => {
  const { outcome } = await asking(async (place) => void (place.astray = 3))
  assert.equal(await outcome, 'FENCED')
})

test('nor what a former leader says that has not heard of the next one: nothing is stored behind it', async () => {
  const { outcome } = await asking(async (place, streams) => {
    // Another owner has been there, and written since.
    await (await place.open(3)).append(payloadOf(3), 'written').written
    const [state, message] = [streams.state.bind(streams), streams.message.bind(streams)]
    place.astray = 3
    streams.state = async (stream) => {
      const now = await state(stream)
      return now !== undefined && place.astray > 0 ? { ...now, last: 3 } : now
    }
    streams.message = async (stream, sequence) => {
      const stray = place.astray > 0 || sequence === 3 ? place.strays.get(sequence) : undefined
      return stray === undefined ? message(stream, sequence) : { sequence, data: stray }
    }
  })
  assert.equal(await outcome, 'FENCED')
})
