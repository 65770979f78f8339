/** How long calls wait for a server that has gone. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { RpcClient } from './client.ts'
import { dialLoopback } from './loopback.ts'
import type { Dial, RpcService } from './rpc.ts'
import { RpcServer } from './server.ts'

const hash = await loadHash()
const STEP_MS = 50
const echo = { service: 'test', method: 'echo', parameters: [] } as const

test('calls one after the other wait for a server that has gone as long as one of them, and the last finds one that is back', async () => {
  const [clock, random, settings] = [new SimulatedClock(), new SeededRandom(1), { callMs: 30_000 }]
  const session = { call: async () => ({}), close: async () => undefined }
  const service: RpcService = { name: 'test', roles: ['files'], openSession: () => session }
  const inner = dialLoopback(new RpcServer({ services: [service], clock, hash, settings }))
  let gone = false
  const dial: typeof inner = (signal) => (gone ? Promise.reject(new VarveError('IO_FAILED', 'gone')) : inner(signal))
  const client = new RpcClient({ dial, clock, hash, random, settings })
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false
    const end = (): void => void (settled = true)
    work.then(end, end)
    for (; !settled; clock.advance(STEP_MS)) await clock.turn()
    return work
  }
  ;(await during(client.connection())).close()
  gone = true
  for (let count = 0; count < 5; count++) await assert.rejects(during(client.call(echo)), { code: 'IO_FAILED' })
  const elapsedMs = clock.monotonic()
  assert.ok(elapsedMs > 28_000 && elapsedMs < 35_000, `${elapsedMs} ms for five calls of 30 s`)
  gone = false
  await during(client.call(echo))
  ;(await during(client.connection())).close()
  gone = true
  await assert.rejects(during(client.call(echo)), { code: 'IO_FAILED' })
  assert.ok(clock.monotonic() > elapsedMs + 28_000, 'the time that it was away once does not count again')
  await client.close()
})

test('a client that closes while nobody answers has closed at once, and its calls with it', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const silent: Dial = (signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('it was given up'))))
  const refusing: Dial = () => Promise.reject(new VarveError('IO_FAILED', 'nobody is there'))
  for (const dial of [silent, refusing]) {
    const client = new RpcClient({ dial, clock, hash, random })
    const failed = assert.rejects(client.call({ ...echo, timeoutMs: 0 }), { code: 'CLOSED' })
    for (let turn = 0; turn < 5; turn++) await clock.turn()
    await client.close()
    await failed
  }
  assert.equal(clock.monotonic(), 0)
})

test('a connection that is made while its client closes does not stay', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const server = new RpcServer({ services: [], clock, hash })
  const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random })
  const failed = assert.rejects(client.connection(), { code: 'CLOSED' })
  // It is dialled, and not greeted yet.
  await client.close()
  await failed
  for (let turn = 0; turn < 5; turn++) await clock.turn()
  assert.deepEqual([server.peerCount, clock.pending], [0, 0])
  await server.close()
})
