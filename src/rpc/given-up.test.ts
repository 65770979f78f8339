/** Calls that are given up leave nothing behind: neither for those that wait behind them, nor at the server. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { RpcClient } from './client.ts'
import { dialLoopback } from './loopback.ts'
import type { RpcCall, RpcRequest, RpcService, Wire } from './rpc.ts'
import { RpcServer } from './server.ts'
import type { RpcSettings } from './settings.ts'

const hash = await loadHash()

/** A service whose calls are answered when the test says so. */
class Bench {
  readonly clock = new SimulatedClock()
  readonly client: RpcClient
  wire: Wire | undefined
  readonly requests = new Map<string, { readonly request: RpcRequest; readonly answer: () => void }>()
  dials = 0

  constructor(settings: Partial<RpcSettings>) {
    const session = {
      call: async (request: RpcRequest) =>
        new Promise<object>((resolve) => {
          this.requests.set(request.method, { request, answer: () => resolve({}) })
        }),
      close: async () => undefined,
    }
    const service: RpcService = { name: 'test', roles: ['files'], openSession: () => session }
    const { clock } = this
    const inner = dialLoopback(new RpcServer({ services: [service], clock, hash, settings }))
    const dial: typeof inner = async (signal) => {
      this.dials++
      return (this.wire = await inner(signal))
    }
    this.client = new RpcClient({ dial, clock, hash, random: new SeededRandom(1), settings })
  }

  async turns(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await this.clock.turn()
  }

  answer(...methods: readonly string[]): void {
    for (const method of methods) this.requests.get(method)?.answer()
  }
}

function call(method: string, rest: Partial<RpcCall> = {}): RpcCall {
  return { service: 'test', method, parameters: [], ...rest }
}

// What was sent of it after the cancellation was taken for a request of its own, and the connection cut for that.
test('a large call that is given up when half of it is sent does not cost the connection, and has not happened', async () => {
  const bench = new Bench({ frameBodyBytes: KIB, bufferedBytesMax: KIB, inFlightBytesMax: 64 * KIB })
  const connection = await bench.client.connection()
  const other = connection.call(call('other', { effect: true }))
  await bench.turns()
  const body = new Uint8Array(60 * KIB)
  for (let round = 0; round < 3; round++) {
    // The wire takes one frame of the first, and the others wait for room, before anything can arrive.
    const [begun, unbegun] = [new AbortController(), new AbortController()]
    const calls = [
      connection.call(call('begun', { body, signal: begun.signal })),
      connection.call(call('unbegun', { signal: unbegun.signal })),
      connection.call(call('late', { body, effect: true, timeoutMs: 100 })),
      connection.call(call('next', { body })),
    ] as const
    unbegun.abort()
    await assert.rejects(calls[1], { code: 'ABORTED' })
    begun.abort()
    await assert.rejects(calls[0], { code: 'ABORTED' })
    bench.clock.advance(100)
    await assert.rejects(calls[2], { code: 'IO_FAILED' })
    await bench.turns()
    bench.answer('next')
    await calls[3]
    assert.deepEqual([bench.dials, [...bench.requests.keys()]], [1, ['other', 'next']], `round ${round}`)
    bench.requests.delete('next')
  }
  bench.answer('other')
  await other
  await bench.client.close()
})

test('calls that are given up while they wait, or before they are answered, leave their room to others', async () => {
  const bench = new Bench({ callsMax: 2, inFlightBytesMax: 64 * KIB })
  const connection = await bench.client.connection()
  const body = new Uint8Array(30 * KIB)
  for (let round = 0; round < 5; round++) {
    const [sent, waiting] = [new AbortController(), new AbortController()]
    const calls = [
      connection.call(call('first', { body })),
      connection.call(call('sent', { body, signal: sent.signal })),
      connection.call(call('waiting', { body, signal: waiting.signal })),
      connection.call(call('last', { body })),
    ] as const
    await bench.turns()
    waiting.abort()
    await assert.rejects(calls[2], { code: 'ABORTED' })
    sent.abort()
    await assert.rejects(calls[1], { code: 'ABORTED' })
    await bench.turns()
    assert.ok(bench.requests.get('sent')?.request.signal.aborted)
    bench.answer('sent')
    await bench.turns()
    assert.deepEqual([...bench.requests.keys()], ['first', 'sent', 'last'], `round ${round}`)
    bench.answer('first', 'last')
    await Promise.all([calls[0], calls[3]])
    bench.requests.clear()
  }
  await bench.client.close()
})

test('a service that looks for the first time after its caller has gone finds that it has', async () => {
  const bench = new Bench({})
  const connection = await bench.client.connection()
  const stop = new AbortController()
  const cancelled = connection.call(call('cancelled', { signal: stop.signal }))
  const late = connection.call(call('late', { timeoutMs: 100 }))
  const left = connection.call(call('left'))
  const ends = [cancelled, late, left].map((each) => assert.rejects(each))
  await bench.turns()
  stop.abort()
  bench.clock.advance(100)
  await bench.turns()
  await bench.client.close()
  await bench.turns()
  await Promise.all(ends)
  for (const { request } of bench.requests.values()) assert.ok(request.signal.aborted, request.method)
  assert.equal(bench.requests.size, 3)
})

test('calls arrive in the order in which they were made, and one of which not all was sent when the connection was lost has not happened', async () => {
  const bench = new Bench({ frameBodyBytes: KIB, bufferedBytesMax: KIB })
  const connection = await bench.client.connection()
  const body = new Uint8Array(10 * KIB)
  const names = ['first', 'second', 'third', 'fourth']
  const calls = names.map((name) => connection.call(call(name, { body })))
  await bench.turns()
  assert.deepEqual([...bench.requests.keys()], names)
  bench.answer(...names)
  await Promise.all(calls)
  const lost = ['begun', 'unbegun'].map((name) => connection.call(call(name, { body, effect: true })))
  const ends = lost.map((each) => assert.rejects(each, { code: 'IO_FAILED' }))
  bench.wire?.destroy()
  await Promise.all(ends)
  await bench.client.close()
})
