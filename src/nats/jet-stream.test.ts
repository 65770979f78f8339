/** What a server answers that is not what JetStream's API says: a typed error, whatever is asked. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { JetStream } from './jet-stream.ts'
import type { NatsConnection, NatsHeaders, NatsSubscribeOptions } from './nats.ts'

/** Answers every request with this text. */
function streamsThatAnswer(text: string): JetStream {
  const data = new Uint8Array(Buffer.from(text))
  const connection = { info: {}, request: () => Promise.resolve({ data }) } as unknown as NatsConnection
  const headers = { set: () => undefined } as unknown as NatsHeaders
  return new JetStream({ connection, headers: () => headers, clock: new SimulatedClock(), random: new SeededRandom(1) })
}

test('an answer of JetStream that is no JSON, no object, or lacks what was asked for, is a failed request', async () => {
  const stream = { name: 's', subjects: ['s.>'], retention: 'limits', replicas: 1 } as const
  for (const text of ['', '{', 'null', '7', '"text"', '{}', '{"state":null}', '{"message":7,"config":"x","state":1}']) {
    const streams = streamsThatAnswer(text)
    const failed = { name: 'VarveError', code: 'IO_FAILED', message: /an answer/ }
    await assert.rejects(streams.state('s'), failed, `state: ${text}`)
    await assert.rejects(streams.message('s', 1), failed, `message: ${text}`)
    await assert.rejects(streams.ensure(stream), failed, `ensure: ${text}`)
  }
})

// What the client threw went through as it was, and a timer kept the process alive for what nobody waited for.
test('a connection that is closed while messages are read fails the read, and leaves nothing behind', async () => {
  const messages: string[] = []
  let subscribed = 0
  const clock = new SimulatedClock()
  const connection = {
    info: {},
    request: () => Promise.resolve({ data: Buffer.from('{"name":"consumer"}') }),
    publish: (subject: string) => {
      messages.push(subject)
      throw new Error('CLOSED')
    },
    subscribe: (_: string, options: NatsSubscribeOptions) => {
      assert.ok(options.callback !== undefined)
      subscribed++
      return { unsubscribe: () => void subscribed-- }
    },
  } as unknown as NatsConnection
  const headers = { set: () => undefined } as unknown as NatsHeaders
  const streams = new JetStream({ connection, headers: () => headers, clock, random: new SeededRandom(1) })
  await assert.rejects(
    streams.read('s', 1, 9, () => undefined),
    { code: 'IO_FAILED', message: /read of s: CLOSED/ },
  )
  assert.equal(subscribed, 0)
  assert.equal(clock.pending, 0)
  assert.match(messages[0] ?? '', /MSG\.NEXT/)
})
