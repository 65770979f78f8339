/** What is over a connection to NATS that is closed for good says so at once, and not after the time that a cluster has to come back. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { JetStream } from '../../src/nats/jet-stream.ts'
import type { NatsConnection } from '../../src/nats/nats.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Place, SHARD, found, payloadOf } from './simulated-journals.ts'
import type { SimulatedStreams } from './simulated-streams.ts'

const hash = await loadHash()
const RESUME_MS = 100_000
const AT_ONCE_MS = 1_000

const end = (streams: SimulatedStreams): void => void (streams.ended = new VarveError('CLOSED', 'closed for good'))

async function rejectsAtOnce(place: Place, promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const sinceMs = place.clock.monotonic()
  await assert.rejects(promise, { code, message: /closed for good/ })
  const tookMs = place.clock.monotonic() - sinceMs
  assert.ok(tookMs < AT_ONCE_MS, `it took ${tookMs} ms`)
}

// Writers waited for 30 seconds, and then knew nothing.
test('appends after the connection was closed for good are told CLOSED, and are not there', async () => {
  const place = new Place()
  const streams = place.streams()
  const journal = await place.open(1, streams, { resumeMs: RESUME_MS })
  await journal.append(payloadOf(1), 'written').written
  end(streams)
  const appends = [2, 3, 4].map((index) => journal.append(payloadOf(index), 'written').written)
  for (const written of appends) await rejectsAtOnce(place, written, 'CLOSED')
  await rejectsAtOnce(place, journal.append(payloadOf(5), 'written').written, 'CLOSED')
  await rejectsAtOnce(place, journal.barrier(), 'CLOSED')
  await journal.close()
  assert.deepEqual([...(await found(await place.open(2))).keys()], [0])
})

test('appends under way when the connection is closed for good are of unknown outcome, at once', async () => {
  // Of four, two are sent, or all.
  for (const windowMessages of [2, 8]) {
    for (const fault of ['cut before', 'answer lost'] as const) {
      const place = new Place()
      const streams = place.streams()
      const journal = await place.open(1, streams, { resumeMs: RESUME_MS, windowMessages })
      await journal.append(payloadOf(1), 'written').written
      if (fault === 'cut before') streams.cut = true
      else streams.faults = { ...streams.faults, answerLost: 1 }
      const appends = [2, 3, 4, 5].map((index) => journal.append(payloadOf(index), 'written').written)
      end(streams)
      appends.push(journal.append(payloadOf(6), 'written').written)
      for (const written of appends) await rejectsAtOnce(place, written, 'OUTCOME_UNKNOWN')
      await rejectsAtOnce(place, journal.append(payloadOf(7), 'written').written, 'OUTCOME_UNKNOWN')
      await journal.close()
      const sent = Math.min(windowMessages, 4)
      assert.equal((await found(await place.open(2))).size, fault === 'cut before' ? 1 : 1 + sent)
    }
  }
})

test('an append that was not answered, and is sent again when the connection is closed for good, is of unknown outcome', async () => {
  const place = new Place()
  const streams = place.streams()
  const journal = await place.open(1, streams, { resumeMs: RESUME_MS })
  await journal.append(payloadOf(1), 'written').written
  streams.cut = true
  const { written } = journal.append(payloadOf(2), 'written')
  void written.catch(() => undefined)
  // It is looked for by now.
  for (let turn = 0; turn < 50; turn++) await place.clock.turn()
  end(streams)
  await rejectsAtOnce(place, written, 'OUTCOME_UNKNOWN')
  await journal.close()
})

test('heads over a connection that is closed for good are told so, and one that may have been set is of unknown outcome', async () => {
  const place = new Place()
  const streams = place.streams()
  const { clock, random } = place
  const store = new NatsHeadStore({ streams, hash, clock, random, settings: { resumeMs: RESUME_MS } })
  const version = await store.compareAndSet(SHARD, undefined, Uint8Array.of(1))
  const publish = streams.publish.bind(streams)
  streams.publish = async (...message) => {
    await publish(...message)
    end(streams)
    throw new VarveError('IO_FAILED', 'no answer', { details: { operation: 'request' } })
  }
  await rejectsAtOnce(place, store.compareAndSet(SHARD, version, Uint8Array.of(2)), 'OUTCOME_UNKNOWN')
  await rejectsAtOnce(place, store.compareAndSet(SHARD, version, Uint8Array.of(3)), 'CLOSED')
  await rejectsAtOnce(place, store.read(SHARD), 'CLOSED')
})

test('a connection that its client has closed, or lets run out, asks for nothing, and says why and what to do', async () => {
  const place = new Place()
  const { clock } = place
  for (const way of ['isClosed', 'isDraining'] as const) {
    let asked = 0
    let closed = false
    let close: (reason: unknown) => void = () => undefined
    const connection: NatsConnection = {
      request: () => {
        asked++
        return Promise.reject(new Error('timeout'))
      },
      publish: () => undefined,
      subscribe: () => ({ unsubscribe: () => undefined }),
      [way]: () => closed,
      closed: () => new Promise((resolve) => (close = resolve)),
    }
    const headers = (): { set(): void } => ({ set: () => undefined })
    const streams = new JetStream({ connection, headers, clock, random: new SeededRandom(1) })
    await assert.rejects(streams.state('s'), { code: 'IO_FAILED' })
    assert.equal(streams.ended, undefined)
    closed = true
    await assert.rejects(streams.state('s'), { code: 'CLOSED', message: /closed for good \(by this program/ })
    close(new Error('Authorization Violation'))
    await clock.turn()
    const wayOut = /closed for good \(Authorization Violation\): open again what is over it, with a new connection/
    await assert.rejects(streams.state('s'), { code: 'CLOSED', message: wayOut })
    assert.equal(asked, 1)
  }
})
